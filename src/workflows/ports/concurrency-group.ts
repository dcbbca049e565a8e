import type { ExpectedStream } from '../../domain/record/stream-fault.ts';

/** What a build is to do, given the others of its concurrency group. */
export type GroupDecision =
  /** Nothing: it may begin, and the record says that it has. */
  | { kind: 'begun' }
  /** A later build wants its place. */
  | { kind: 'superseded'; by: number }
  /** This one has to be told to stop first. */
  | { kind: 'cancel_first'; build_id: number; workflow_id: string };

/** What workflows ask about the builds of their repository, workflow and ref. */
export interface ConcurrencyGroupPort {
  /** Returns when a queued build is to do something; until then it fails and is retried. */
  awaitTurn(request: {
    build_id: number;
    /** Of the event `build_started`. */
    dedupe_key: string;
    /** Whether earlier builds are cancelled, and those that were told to stop already. */
    cancels: boolean;
    told: number[];
    longest_pause_ms: number;
    /** What the stream of the build must be like; left out by workflows of an earlier version. */
    expected?: ExpectedStream;
  }): Promise<GroupDecision>;
}
