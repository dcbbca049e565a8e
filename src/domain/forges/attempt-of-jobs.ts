/** States of a job that has not started. */
const WAITING: ReadonlySet<string> = new Set(['queued', 'waiting', 'blocked', 'pending', 'requested']);

/**
 * Returns the attempt of a run on a forge that counts only the attempts of jobs: 1, and one more for each time that a job was run
 * again. A job counts its attempt when it starts, so one that waits after an earlier attempt is already at the next.
 */
export function attemptOf(jobs: readonly { status: string; run_attempt: number }[]): number {
  const again = jobs.map(({ status, run_attempt }) =>
    WAITING.has(status) ? run_attempt : Math.max(0, run_attempt - 1),
  );
  return 1 + again.reduce((sum, count) => sum + count, 0);
}
