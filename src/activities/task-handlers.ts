import type { TaskName } from '../contracts/task-queues.ts';
import type { TaskArguments } from '../contracts/task-signatures.ts';

/** What a handler knows of the attempt that it runs in. */
export interface TaskContext {
  taskId: string;
  /** Which attempt this is, from 1. */
  attempt: number;
  /**
   * Aborted when the work has to stop: at the soft time limit, when the task is revoked, when the worker stops. Pass it on
   * to everything that takes long; what the handler throws then is not looked at.
   */
  signal: AbortSignal;
  /**
   * What an earlier attempt told last, also one whose worker was lost; undefined at first. JSON, and small: it travels
   * through Temporal. What was done belongs into the store.
   */
  progress: unknown;
  /** Tells how far the work is. That it goes on is told without this. */
  heartbeat(progress: unknown): void;
}

/**
 * The work of each task: plain functions, which may run again after a failure or a lost worker and then have to do no work
 * twice. What one answers is the result of the task: JSON, at most 1 MB.
 *
 * They throw {@link PermanentTaskError} where trying again will not help, and {@link RetryableTaskError} or anything else
 * where it may.
 */
export type TaskHandlers = {
  [Name in TaskName]: (args: TaskArguments[Name], context: TaskContext) => Promise<unknown>;
};
