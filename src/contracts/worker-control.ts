import type { TaskName, TaskQueueName } from './task-queues.ts';

/** Task queue on which every process of workers polls and nobody puts work: who polls it is there, however busy. */
export const ROLL_CALL_TASK_QUEUE = 'hapax-workers';

/** Task queue of what is told to one process of workers alone. */
export function controlTaskQueueOf(identity: string): string {
  return `hapax-worker-${identity}`;
}

/** Whether a worker does what it was told; where not, why, in one line. */
export interface Obeyed {
  refused: string | null;
}

/** Longest that a task may take on a worker, milliseconds; null for what its request and the settings say. */
export interface TimeLimits {
  soft_ms: number | null;
  hard_ms: number | null;
}

/** What a process of workers says of itself. */
export interface WorkerReport {
  pid: number;
  uptime_seconds: number;
  /** What it takes tasks from, and how many at once. */
  queues: Array<{ name: TaskQueueName; size: number }>;
  /** Rate limits it was told, as they were written. */
  rates: Partial<Record<TaskName, string>>;
}

/**
 * What a running process of workers can be told: each an activity on its own task queue, at most one attempt. It forgets all
 * of it when it stops, as a worker of Celery does.
 */
export interface WorkerControl {
  inspect(): Promise<WorkerReport>;
  /** Takes tasks from a queue, or no more of them; what is being worked at goes on. */
  consume(order: { queue: TaskQueueName; on: boolean }): Promise<Obeyed>;
  /** Works at so many more tasks of each queue at once, or fewer. */
  resize(order: { by: number }): Promise<Obeyed>;
  /** Begins tasks of a name no faster. `0` or an empty text: as fast as they come. */
  limitRate(order: { task: TaskName; rate: string }): Promise<Obeyed>;
  /** Gives tasks of a name less time. */
  limitTime(order: { task: TaskName } & TimeLimits): Promise<Obeyed>;
  /** Hands over what it works at, and ends. */
  shutdown(): Promise<Obeyed>;
}
