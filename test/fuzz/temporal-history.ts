import type { Job, Payload, Schedule } from './temporal-jobs.ts';

/** One run of workflow code: what came, when, and what it asked for. A replay must ask for the same. */
export interface Activation {
  at: number;
  jobs: Job[];
  asked: string[];
}

/** A workflow task that was completed: its activations, and what was out after it. */
export interface CompletedTask {
  at: number;
  activations: Activation[];
  /** What came with it from the server. */
  input: Job[];
  openActivities: Map<number, Schedule>;
  openTimers: Map<number, number>;
  /** Activities that had been cancelled by then. */
  cancelled: Set<number>;
}

/** What an execution is begun with, by a start or a reset, or where the server is set back. */
export interface Beginning {
  workflowId: string;
  runId: string;
  type: string;
  memo: Record<string, unknown>;
  /** The arguments of the workflow. */
  input: readonly Payload[];
  originalRunId?: string;
  startedAt?: number;
}

/** Bytes of the seed of a run, as the server derives one from the run id. */
export function seedOf(runId: string): number[] {
  return [...Buffer.from(runId.replaceAll('-', ''), 'hex')];
}
