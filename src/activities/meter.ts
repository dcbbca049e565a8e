import type { DispatchOutcome } from '../contracts/github/github.ts';
import type { Build } from '../domain/builds/build.ts';
import type { Task } from '../domain/tasks/task.ts';

/** Counters of the activities. */
export interface ActivityMeter {
  dispatched(outcome: DispatchOutcome['kind']): void;
  /** Counts the end of a build, recorded now for the first time. */
  buildEnded(build: Build): void;
  /** Counts a try to deliver a callback, recorded now for the first time. */
  callbackTried(outcome: 'delivered' | 'failed' | 'given_up'): void;
  /** Counts the end of a task, recorded now for the first time. */
  taskEnded(task: Task): void;
  /** Counts a request for units of the YouTube Data API. */
  quotaAsked(outcome: 'granted' | 'refused' | 'waiting'): void;
  /** Counts a search for missed webhooks of a repository, and the deliveries that it requested again. */
  deliveriesSwept(outcome: 'done' | 'not_allowed' | 'failed', redelivered: number): void;
}
