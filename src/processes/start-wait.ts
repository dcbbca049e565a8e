import { UserError } from '../laptop/user-error.ts';

/** How a start waits. */
export interface StartWait {
  /** START_TIMEOUT: the longest wait, milliseconds. */
  timeoutMs: number;
  /** Told every few seconds what the start waits for. */
  say(line: string): void;
}

const SAY_EVERY_MS = 5_000;

/**
 * What the work of a start comes to, unless it takes longer than a start may. A server that takes connections and does not answer
 * would hold up a start for ever, and nobody would know why.
 * @param what the server, as `Temporal at 127.0.0.1:7233 (TEMPORAL_ADDRESS)`.
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
