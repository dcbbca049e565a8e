import { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from 'pino';
import type { TaskCode } from '../activities/task-code.ts';

/** An attempt that runs now, or has left promises behind. */
interface Attempt {
  taskId: string;
  fail(reason: unknown): void;
}

/**
 * Returns tasks whose attempts fail with a rejected promise that they leave alone, unless they have ended. Without this, such a promise
 * ends the process. All others still do.
 */
export function keepStrayRejections(code: TaskCode, log: Pick<Logger, 'error'>): { code: TaskCode; stop(): void } {
  const attempts = new AsyncLocalStorage<Attempt>();
  const caught = (reason: unknown) => {
    const attempt = attempts.getStore();
    if (!attempt) throw reason;
    const { taskId: task_id } = attempt;
    log.error({ err: reason, task_id }, 'a task left a rejected promise alone; await it, or catch what it throws');
    attempt.fail(reason);
  };
  process.on('unhandledRejection', caught);
  return {
    stop: () => process.off('unhandledRejection', caught),
    code: {
      find(name) {
        const task = code.find(name);
        return (
          task && {
            run: (asked, context) =>
              new Promise((resolve, reject) => {
                const attempt = { taskId: asked.task_id, fail: reject };
                attempts.run(attempt, () => task.run(asked, context)).then(resolve, reject);
              }),
          }
        );
      },
    },
  };
}
