import { LIMITS } from '../../contracts/budgets.ts';
import { ENDED_TASK_STATUSES } from '../../contracts/tasks/task.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { Db } from '../../store/database.ts';
import { findStream } from '../../store/record/stream-find.ts';
import { findTask } from '../../store/tasks/task-find.ts';
import { TASKS, taskStream } from '../../store/tasks/task-stream.ts';
import type { EventTail } from '../events/event-tail.ts';

/** Waits for the end of a task, but no longer than a time or until the client is gone; the task as it is then. */
export type Waiter = (id: string, timeoutMs: number | undefined, gone: AbortSignal) => Promise<Task | undefined>;

const LONGEST_MS = LIMITS.flower.waitSeconds * 1_000;

export function waiterOf(db: Db, tail: EventTail): Waiter {
  return async (id, timeoutMs = LONGEST_MS, gone) => {
    const found = (await findTask(db, id)) && (await findStream(db, TASKS, id));
    if (!found || timeoutMs <= 0 || ENDED_TASK_STATUSES.includes(found.state.status)) return found?.state;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        unwatch();
        gone.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(timeoutMs, LONGEST_MS));
      const unwatch = tail.watch(taskStream(id), found.events.length, ({ to_status }) => {
        if (ENDED_TASK_STATUSES.some((status) => status === to_status)) done();
      });
      gone.addEventListener('abort', done, { once: true });
    });
    return findTask(db, id);
  };
}
