import type { BuiltInTask } from '../contracts/tasks/task-queues.ts';
import type { TaskArguments } from '../contracts/tasks/task-signatures.ts';

/** What a handler knows about its attempt. */
export interface TaskContext {
  taskId: string;
  /** Which attempt this is, from 1. */
  attempt: number;
  /**
   * Aborted when the work has to stop: at the soft time limit, or when the task is revoked or the worker stops. Pass it to
   * every call that takes long. Whatever the handler throws after that does not matter.
   */
  signal: AbortSignal;
  /**
   * The last progress of an earlier attempt, even if its worker was lost; undefined at first. Keep it small JSON, since it
   * travels through Temporal. Results belong in the store.
   */
  progress: unknown;
  /** Reports progress. Heartbeats are sent even without it. */
  heartbeat(progress: unknown): void;
}

/**
 * The work of each task: plain functions. One may run again after a failure or a lost worker, and must then do no work
 * twice. It returns the result of the task: JSON, at most 1 MB.
 *
 * It throws {@link PermanentTaskError} if another attempt cannot help, and {@link RetryableTaskError} or anything else if it may.
 */
export type TaskHandlers = {
  [Name in BuiltInTask]: (args: TaskArguments[Name], context: TaskContext) => Promise<unknown>;
};
