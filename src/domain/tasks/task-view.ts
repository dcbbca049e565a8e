import type { TaskSummary, TaskView } from '../../contracts/tasks/task.ts';
import { type TemporalUi, taskLinksOf } from '../links.ts';
import type { Task } from './task.ts';

/** A task as lists read it: without the fields that may hold a megabyte. */
export type ListedTask = Omit<Task, 'args' | 'kwargs' | 'result' | 'progress'>;

/** Returns a task as lists show it. */
export function taskSummaryOf(task: ListedTask): TaskSummary {
  const { id, status, name, queue, retries, redrives, priority, eta, expires, worker, error, reason } = task;
  const { callback_origin, created_at, received_at, started_at, completed_at, erased_at } = task;
  return {
    ...{ task_id: id, status, name, queue, retries, redrives, priority, eta, expires, worker, error, reason },
    ...{ callback_origin, created_at, received_at, started_at, completed_at, erased_at },
  };
}

/** Returns a task as the API shows it. */
export function taskViewOf(task: Task, ui: TemporalUi): TaskView {
  const { task_id, status, ...rest } = taskSummaryOf(task);
  const { result, progress, args, kwargs } = task;
  const limits = { soft_time_limit: seconds(task.soft_limit_ms), time_limit: seconds(task.hard_limit_ms) };
  const { workflow_id } = task;
  return {
    task_id,
    status,
    result,
    progress,
    args,
    kwargs,
    ...limits,
    ...rest,
    workflow_id,
    links: taskLinksOf(task, ui),
  };
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1_000;
}
