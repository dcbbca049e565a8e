import { AsyncLocalStorage } from 'node:async_hooks';

/** An attempt that runs code of a user. */
interface RunningCode {
  taskId: string;
  log: { error(message: string, more: Record<string, unknown>): void };
  fail(reason: unknown): void;
}

const running = new AsyncLocalStorage<RunningCode>();

/**
 * Runs code of a user. If it leaves a rejected promise alone, it fails with that, unless it has ended.
 * @throws what the code throws.
 */
export function runOwnCode<Result>(
  about: Omit<RunningCode, 'fail'>,
  work: () => Result | Promise<Result>,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const code = { ...about, fail: reject };
    running.run(code, async () => work()).then(resolve, reject);
  });
}

/**
 * Keeps rejected promises that code of a user leaves alone from ending the process. All others end it, as they do without this.
 * @returns a function that stops this.
 */
export function catchStrayRejections(): () => void {
  const caught = (reason: unknown) => {
    const code = running.getStore();
    if (!code) throw reason;
    code.log.error('a task left a rejected promise alone; await it, or catch what it throws', {
      ...{ task_id: code.taskId, err: reason },
    });
    code.fail(reason);
  };
  process.on('unhandledRejection', caught);
  return () => process.off('unhandledRejection', caught);
}
