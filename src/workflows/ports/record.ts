import type { BuildEvent } from '../../contracts/builds/event.ts';
import type { TaskError, TaskEvent } from '../../contracts/tasks/task-event.ts';
import type { ExpectedStream } from '../../domain/record/stream-fault.ts';

/** How a build ended, as the record has it. */
export interface RecordedEnd {
  status: string;
  conclusion: string;
  run_url: string | null;
  /** Of the event that told it. */
  dedupe_key: string;
}

/** How a task ended, as the record has it. */
export type TaskOutcome =
  | { kind: 'succeeded'; result: unknown }
  | { kind: 'failed'; error: TaskError; attempts: number }
  | { kind: 'revoked'; reason: 'revoked' | 'terminated' | 'expired'; by: string };

/** An event to record. */
export interface EventToRecord<Event> extends ExpectedStream {
  event: Event;
  /** Goes right behind the event, in one with it, unless the record had the event already. */
  follower?: Event;
}

/**
 * What workflows ask of the record. Telling an event twice is telling it once. Both answer with the number of the event in
 * its stream (of its follower, where that was appended), and both fail with `RecordSetBack` where the stream has lost events that the workflow knows of.
 */
export interface RecordPort {
  /** Tells an event of a build. Answers with the data of the event that stands, which is the earlier one if it had been told before. */
  appendBuildEvent(
    request: { build_id: number } & EventToRecord<BuildEvent>,
  ): Promise<{ data: Record<string, unknown>; seq?: number; repeated?: boolean }>;

  /** How a build ended; null while it is open, or where the record does not know it. */
  findBuildEnd(request: { build_id: number }): Promise<RecordedEnd | null>;

  /** Whether an event of a build was told. */
  isTold(request: { build_id: number; dedupe_key: string }): Promise<boolean>;

  /**
   * Tells an event of a task. Answers whether that is what stands, and not what another told before under the same key; no more,
   * since arguments and results may be large and the answer goes into the history of the workflow.
   */
  appendTaskEvent(
    request: { task_id: string } & EventToRecord<TaskEvent>,
  ): Promise<{ stands: boolean; seq?: number; repeated?: boolean }>;

  /** How a task ended, and the dedupe key of the event that says so; null where it has not ended, or is begun again. */
  findTaskEnd(request: { task_id: string }): Promise<{ outcome: TaskOutcome; dedupe_key: string } | null>;
}
