/** States of a job that has not begun. */
const WAITING: ReadonlySet<string> = new Set(['queued', 'waiting', 'blocked', 'pending', 'requested']);

/**
 * The attempt of a run whose forge counts only those of its jobs: 1, and one more for each time that a job was begun again. A job
 * counts its attempt when it begins, so one that waits after an earlier attempt is at the next already.
 */
export function attemptOf(jobs: readonly { status: string; run_attempt: number }[]): number {
  const again = jobs.map(({ status, run_attempt }) =>
    WAITING.has(status) ? run_attempt : Math.max(0, run_attempt - 1),
  );
  return 1 + again.reduce((sum, count) => sum + count, 0);
}
