import { UserError } from '../laptop/user-error.ts';

/** How a start waits for servers. */
export interface StartWait {
  /** START_TIMEOUT: the longest wait, in milliseconds. */
  timeoutMs: number;
  /** Gets a line every few seconds that says what the start waits for. */
  say(line: string): void;
}

const SAY_EVERY_MS = 5_000;

/**
 * Returns the result of the work of a start, unless that takes too long. A server that accepts connections and does not
 * respond would hold up a start for ever, and nobody would know why.
 * @param what the server, such as `Temporal at 127.0.0.1:7233 (TEMPORAL_ADDRESS)`.
 * @throws {UserError} past the limit; the work itself goes on.
 */
export async function inStartTime<T>(what: string, work: Promise<T>, { timeoutMs, say }: StartWait): Promise<T> {
  const startedAt = performance.now();
  const seconds = (ms: number) => Math.round(ms / 1_000);
  const telling = setInterval(() => {
    say(`waiting for ${what}, ${seconds(performance.now() - startedAt)} s of at most ${seconds(timeoutMs)} s`);
  }, SAY_EVERY_MS);
  let limit: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    limit = setTimeout(() => {
      const message = `${what} did not respond within ${seconds(timeoutMs)} s; check that it is running there, or raise START_TIMEOUT`;
      reject(new UserError(message));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearInterval(telling);
    clearTimeout(limit);
    work.catch(() => {});
  }
}
