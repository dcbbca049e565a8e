import type { BuildEvent } from '../../contracts/builds/event.ts';
import type { TaskError, TaskEvent } from '../../contracts/tasks/task-event.ts';
import type { ExpectedStream } from '../../domain/record/stream-fault.ts';

/** The end of a build, as the record has it. */
export interface RecordedEnd {
  status: string;
  conclusion: string;
  run_url: string | null;
  /** Key of the event that says so. */
  dedupe_key: string;
}

/** The end of a task, as the record has it. */
export type TaskOutcome =
  | { kind: 'succeeded'; result: unknown }
  | { kind: 'failed'; error: TaskError; attempts: number }
  | { kind: 'revoked'; reason: 'revoked' | 'terminated' | 'expired'; by: string };

/** An event to record. */
export interface EventToRecord<Event> extends ExpectedStream {
  event: Event;
  /** Event that is appended right after it, in the same statement, unless the record already had the event. */
  follower?: Event;
}

/**
 * Activities that use the record. Recording an event twice changes nothing. Both appends return the number of the event in its stream
 * (that of its follower, if it was appended). Both fail with `RecordSetBack` if the stream has lost events that the workflow knows
 * of.
 */
export interface RecordPort {
  /**
   * Records an event of a build. Returns the data of the event that the record has, which is an earlier one if there was one with its
   * key.
   */
  appendBuildEvent(
    request: { build_id: number } & EventToRecord<BuildEvent>,
  ): Promise<{ data: Record<string, unknown>; seq?: number; repeated?: boolean }>;

  /** Returns how a build ended; null while it is open, or if the record does not know it. */
  findBuildEnd(request: { build_id: number }): Promise<RecordedEnd | null>;

  /** Says whether an event of a build was recorded. */
  isTold(request: { build_id: number; dedupe_key: string }): Promise<boolean>;

  /**
   * Records an event of a task. Says whether the record has this event, and not an earlier one with the same key. Returns no more,
   * since arguments and results may be large and the result goes into the history of the workflow.
   */
  appendTaskEvent(
    request: { task_id: string } & EventToRecord<TaskEvent>,
  ): Promise<{ stands: boolean; seq?: number; repeated?: boolean }>;

  /** Returns how a task ended, and the dedupe key of the event that says so; null if it has not ended, or was started again. */
  findTaskEnd(request: { task_id: string }): Promise<{ outcome: TaskOutcome; dedupe_key: string } | null>;

  /** Says whether an attempt at a task has started. @param attempt the start of the dedupe keys of its events. */
  hasTaskStarted(request: { task_id: string; attempt: string }): Promise<boolean>;
}
