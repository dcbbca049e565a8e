import { LIMITS } from '../../contracts/budgets.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { Db } from '../../store/database.ts';
import { findStream } from '../../store/record/stream-find.ts';
import { findTask } from '../../store/tasks/task-find.ts';
import { TASKS, taskStream } from '../../store/tasks/task-stream.ts';
import type { EventTail } from '../events/event-tail.ts';
import { isEnd, waitForEnd } from '../events/wait-for-end.ts';

/** Waits until a task ends, the time is over, or the client is gone. Returns the task as it is then. */
export type Waiter = (id: string, timeoutMs: number | undefined, gone: AbortSignal) => Promise<Task | undefined>;

const LONGEST_MS = LIMITS.flower.waitSeconds * 1_000;

export function waiterOf(db: Db, tail: EventTail): Waiter {
  return async (id, timeoutMs = LONGEST_MS, gone) => {
    const found = (await findTask(db, id)) && (await findStream(db, TASKS, id));
    if (!found || timeoutMs <= 0 || isEnd(found.state.status)) return found?.state;
    const seen = { stream: taskStream(id), after: found.events.length };
    await waitForEnd(tail, seen, Math.min(timeoutMs, LONGEST_MS), gone);
    return findTask(db, id);
  };
}
