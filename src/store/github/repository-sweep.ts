import type { Db } from '../database.ts';

/**
 * Returns the time since when the deliveries of a repository are to be checked, ISO 8601: ten minutes before the last
 * successful check, for deliveries that were under way then, but at most three days ago, since GitHub redelivers no older ones.
 */
export async function findRepositorySweep(db: Db, repository: string): Promise<string> {
  const [row] = await db<Array<{ since: string }>>`
    SELECT greatest(max(swept_at) - interval '10 minutes', clock_timestamp() - interval '3 days') AS since
    FROM repository_sweeps WHERE repository = ${repository}`;
  return row!.since;
}

/** Saves that the deliveries of a repository were checked up to a time, ISO 8601. */
export async function advanceRepositorySweep(db: Db, repository: string, until: string): Promise<void> {
  await db`
    INSERT INTO repository_sweeps VALUES (${repository}, ${until}::timestamptz)
    ON CONFLICT (repository) DO UPDATE SET swept_at = greatest(repository_sweeps.swept_at, excluded.swept_at)`;
}
