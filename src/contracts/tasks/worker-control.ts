/** Task queue that every worker process polls and that never has work. Its pollers are the running processes, however busy they are. */
export const ROLL_CALL_TASK_QUEUE = 'hapax-workers';

/** Returns the task queue of the orders to one worker process. */
export function controlTaskQueueOf(identity: string): string {
  return `hapax-worker-${identity}`;
}

/** The result of an order: null if the worker obeyed, otherwise one line that says why not. */
export interface Obeyed {
  refused: string | null;
}

/** How long a task may take on a worker, in milliseconds; null: as long as its request and the settings say. */
export interface TimeLimits {
  soft_ms: number | null;
  hard_ms: number | null;
}

/** A worker process's report about itself. */
export interface WorkerReport {
  pid: number;
  uptime_seconds: number;
  /** The queues that it takes tasks from, and how many tasks it runs at once. */
  queues: Array<{ name: string; size: number }>;
  /** Rate limits that it was given, as they were written. */
  rates: Record<string, string>;
  /** Names of the tasks that it runs. Left out by a worker that runs the tasks of Hapax and all that are registered for its queues. */
  registered?: string[];
}

/**
 * The orders that a running worker process accepts. Each is an activity on the process's own task queue, attempted once. The process
 * forgets them when it stops, as a Celery worker does.
 */
export interface WorkerControl {
  inspect(): Promise<WorkerReport>;
  /** Starts or stops taking tasks from a queue. Running tasks continue. */
  consume(order: { queue: string; on: boolean }): Promise<Obeyed>;
  /** Changes how many tasks of each queue run at once by this number. */
  resize(order: { by: number }): Promise<Obeyed>;
  /** Limits how fast tasks of a name start (domain/rate.ts). `0` or an empty text: no limit. */
  limitRate(order: { task: string; rate: string }): Promise<Obeyed>;
  /** Shortens the time limits of tasks of a name. */
  limitTime(order: { task: string } & TimeLimits): Promise<Obeyed>;
  /** Hands over its running work, and stops. */
  shutdown(): Promise<Obeyed>;
}
