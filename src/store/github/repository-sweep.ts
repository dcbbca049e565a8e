import type { Db } from '../database.ts';

/**
 * From when on the deliveries of a repository are to be looked at, ISO 8601: from the last look that succeeded, less ten
 * minutes for what was under way then; but no further back than GitHub sends again, three days.
 */
export async function findRepositorySweep(db: Db, repository: string): Promise<string> {
  const [row] = await db<Array<{ since: string }>>`
    SELECT greatest(max(swept_at) - interval '10 minutes', clock_timestamp() - interval '3 days') AS since
    FROM repository_sweeps WHERE repository = ${repository}`;
  return row!.since;
}

/** Notes that the deliveries of a repository were looked at up to a time, ISO 8601. */
export async function advanceRepositorySweep(db: Db, repository: string, until: string): Promise<void> {
  await db`
    INSERT INTO repository_sweeps VALUES (${repository}, ${until}::timestamptz)
    ON CONFLICT (repository) DO UPDATE SET swept_at = greatest(repository_sweeps.swept_at, excluded.swept_at)`;
}
