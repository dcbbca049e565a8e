import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { OpenBuild } from './open-build.ts';

/** How long a read may still take once the build is cancelled, in milliseconds. */
const READS_ON_MS = 600_000;

/** Asks for at most some milliseconds; returns undefined if there is no response by then. */
export async function within<Response>(ms: number, ask: () => Promise<Response>): Promise<Response | undefined> {
  try {
    return await CancellationScope.withTimeout(ms, ask);
  } catch (error) {
    if (!isCancellation(error)) throw error;
    return undefined;
  }
}

/**
 * Reads from a forge until a time, in milliseconds since 1970, or for a while after an operator cancels the build. Returns undefined if
 * the forge does not respond by then.
 */
export async function readUntil<Response>(
  { operator }: Pick<OpenBuild, 'operator'>,
  deadlineAt: number,
  ask: () => Promise<Response>,
): Promise<Response | undefined> {
  const reading = new CancellationScope();
  let response: Response | undefined;
  const reads = reading.run(ask).then((what) => {
    response = what;
  });
  const hasRead = () => response !== undefined;
  await Promise.race([reads, waitInTime()]);
  reads.catch(() => {});
  reading.cancel();
  return response;

  async function waitInTime(): Promise<void> {
    await condition(() => hasRead() || operator.cancelledBy !== undefined, Math.max(1, deadlineAt - Date.now()));
    if (operator.cancelledBy !== undefined) await condition(hasRead, READS_ON_MS);
  }
}
