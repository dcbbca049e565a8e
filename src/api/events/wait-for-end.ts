import { TERMINAL_STATUSES } from '../../contracts/builds/build.ts';
import { ENDED_TASK_STATUSES } from '../../contracts/tasks/task.ts';
import type { EventTail } from './event-tail.ts';

/** Statuses that end a build or a task. */
const ENDS: ReadonlySet<string | null> = new Set([...TERMINAL_STATUSES, ...ENDED_TASK_STATUSES]);

/** Says whether a build or task with this status has ended. */
export function isEnd(status: string | null): boolean {
  return ENDS.has(status);
}

/**
 * Waits until a build or task ends, the time is over, or the client is gone. The tail that serves all streams wakes it.
 * @param after number of the last event of the stream that the caller has seen.
 */
export function waitForEnd(
  tail: EventTail,
  { stream, after }: { stream: string; after: number },
  timeoutMs: number,
  gone: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    if (gone.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      unwatch();
      gone.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, timeoutMs);
    const unwatch = tail.watch(stream, after, ({ to_status }) => {
      if (isEnd(to_status)) done();
    });
    gone.addEventListener('abort', done, { once: true });
  });
}
