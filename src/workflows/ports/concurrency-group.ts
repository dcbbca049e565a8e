import type { ExpectedStream } from '../../domain/record/stream-fault.ts';

/** A decision about a build, given the others of its concurrency group. */
export type GroupDecision =
  /** It may start, and the record says that it has. */
  | { kind: 'begun' }
  /** A later build replaces it. */
  | { kind: 'superseded'; by: number }
  /** This other build must be told to stop first. */
  | { kind: 'cancel_first'; build_id: number; workflow_id: string };

/** Activities about the builds of a repository, workflow and ref. */
export interface ConcurrencyGroupPort {
  /** Returns once there is a decision about a queued build. Until then, it fails and is retried. */
  awaitTurn(request: {
    build_id: number;
    /** Key of the event `build_started`. */
    dedupe_key: string;
    /** Whether earlier builds are cancelled; `told` has those that were already told to stop. */
    cancels: boolean;
    told: number[];
    longest_pause_ms: number;
    /** The state that the stream of the build must have; workflows of an earlier version leave it out. */
    expected?: ExpectedStream;
  }): Promise<GroupDecision>;
}
