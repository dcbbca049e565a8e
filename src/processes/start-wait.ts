import { UserError } from '../laptop/user-error.ts';

/** How a start waits for servers. */
export interface StartWait {
  /** START_TIMEOUT: the longest wait, in milliseconds. */
  timeoutMs: number;
  /** Gets a line every few seconds that says what the start waits for. */
  say(line: string): void;
}

const SAY_EVERY_MS = 5_000;

/** Never settles: the end of a part that does not end by itself. */
export const never = new Promise<never>(() => {});

/**
 * Returns the result of work, and says every few seconds what is being done.
 * @param line what to say after so many seconds.
 */
export async function telling<T>(
  line: (seconds: number) => string,
  work: Promise<T>,
  { say }: Pick<StartWait, 'say'>,
): Promise<T> {
  const startedAt = performance.now();
  const timer = setInterval(() => say(line(secondsOf(performance.now() - startedAt))), SAY_EVERY_MS);
  return work.finally(() => clearInterval(timer));
}

/**
 * Returns the result of the work of a start, unless that takes too long. A server that accepts connections and does not
 * respond would hold up a start for ever, and nobody would know why.
 * @param what the server, such as `Temporal at 127.0.0.1:7233 (TEMPORAL_ADDRESS)`.
 * @throws {UserError} past the limit; the work itself goes on.
 */
export async function inStartTime<T>(what: string, work: Promise<T>, { timeoutMs, say }: StartWait): Promise<T> {
  const most = secondsOf(timeoutMs);
  let limit: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    limit = setTimeout(() => {
      const message = `${what} did not respond within ${most} s; check that it is running there, or raise START_TIMEOUT`;
      reject(new UserError(message));
    }, timeoutMs);
  });
  try {
    const line = (seconds: number) => `waiting for ${what}, ${seconds} s of at most ${most} s`;
    return await telling(line, Promise.race([work, late]), { say });
  } finally {
    clearTimeout(limit);
    work.catch(() => {});
  }
}

const secondsOf = (ms: number) => Math.round(ms / 1_000);
