import { LIMITS } from '../../contracts/budgets.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { Db } from '../../store/database.ts';
import { findTask } from '../../store/tasks/task-find.ts';
import { TASKS } from '../../store/tasks/task-stream.ts';
import type { EventTail } from '../events/event-tail.ts';
import { whenEnded } from '../events/when-ended.ts';

/** Waits until a task ends, the time is over, or the client is gone. Returns the task as it is then. */
export type Waiter = (id: string, timeoutMs: number | undefined, gone: AbortSignal) => Promise<Task | undefined>;

const LONGEST_MS = LIMITS.flower.waitSeconds * 1_000;

export function waiterOf(db: Db, tail: EventTail): Waiter {
  return async (id, timeoutMs = LONGEST_MS, gone) => {
    if (!(await findTask(db, id))) return undefined;
    const found = await whenEnded({ db, tail }, TASKS, id, Math.min(timeoutMs, LONGEST_MS) / 1_000, gone);
    return found?.state;
  };
}
