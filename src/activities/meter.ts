import type { DispatchOutcome } from '../contracts/github/github.ts';
import type { Build } from '../domain/builds/build.ts';
import type { Task } from '../domain/tasks/task.ts';

/** What activities count. */
export interface ActivityMeter {
  dispatched(outcome: DispatchOutcome['kind']): void;
  /** The end of a build was recorded, now and not before. */
  buildEnded(build: Build): void;
  /** The outcome of a try to deliver a callback was recorded, now and not before. */
  callbackTried(outcome: 'delivered' | 'failed' | 'given_up'): void;
  /** The end of a task was recorded, now and not before. */
  taskEnded(task: Task): void;
  /** Units of the YouTube Data API were asked for. */
  quotaAsked(outcome: 'granted' | 'refused' | 'waiting'): void;
  /** Missed webhooks of a repository were looked for, and so many asked for again. */
  deliveriesSwept(outcome: 'done' | 'not_allowed' | 'failed', redelivered: number): void;
}
