/** Task queue that every worker process polls and nobody puts work on: its pollers are the processes there are, however busy. */
export const ROLL_CALL_TASK_QUEUE = 'hapax-workers';

/** Task queue of the orders to one worker process. */
export function controlTaskQueueOf(identity: string): string {
  return `hapax-worker-${identity}`;
}

/** Null if a worker does what it was told, otherwise why not, in one line. */
export interface Obeyed {
  refused: string | null;
}

/** How long a task may take on a worker, milliseconds; null: as long as its request and the settings say. */
export interface TimeLimits {
  soft_ms: number | null;
  hard_ms: number | null;
}

/** What a worker process reports about itself. */
export interface WorkerReport {
  pid: number;
  uptime_seconds: number;
  /** What it takes tasks from, and how many at once. */
  queues: Array<{ name: string; size: number }>;
  /** Rate limits it was told, as they were written. */
  rates: Record<string, string>;
  /** Names of the tasks that it runs; left out by one that runs those of Hapax, and all that are registered for its queues. */
  registered?: string[];
}

/**
 * The orders that a running worker process takes. Each is an activity on the process's own task queue, attempted once. The
 * process forgets them when it stops, as a Celery worker does.
 */
export interface WorkerControl {
  inspect(): Promise<WorkerReport>;
  /** Begins or stops taking tasks from a queue; running ones go on. */
  consume(order: { queue: string; on: boolean }): Promise<Obeyed>;
  /** Changes how many tasks of each queue run at once, by so many. */
  resize(order: { by: number }): Promise<Obeyed>;
  /** Limits how fast tasks of a name begin (domain/rate.ts). `0` or an empty text: no limit. */
  limitRate(order: { task: string; rate: string }): Promise<Obeyed>;
  /** Shortens the time limits of tasks of a name. */
  limitTime(order: { task: string } & TimeLimits): Promise<Obeyed>;
  /** Hands over what it works at, and ends. */
  shutdown(): Promise<Obeyed>;
}
