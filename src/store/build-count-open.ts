import { sql } from 'drizzle-orm';
import type { Db } from './database.ts';

export interface OpenBuilds {
  /** Accepted and not begun. */
  queued: number;
  /** Since the oldest of these was created, by the clock of the database. */
  oldestAgeSeconds: number | null;
  inProgress: number;
}

export type OpenBuildsRow = { queued: string; age: string | null; in_progress: string };

/** One row about the builds that have not ended; the index builds_open holds no others. */
export const OPEN_BUILDS = sql`
  SELECT count(*) FILTER (WHERE status = 'queued') AS queued,
         extract(epoch FROM now() - min(created_at) FILTER (WHERE status = 'queued')) AS age,
         count(*) FILTER (WHERE status = 'in_progress') AS in_progress
  FROM builds WHERE completed_at IS NULL`;

/** Counts the builds that have not ended. */
export async function countOpenBuilds(db: Db): Promise<OpenBuilds> {
  const [row] = await db.execute<OpenBuildsRow>(OPEN_BUILDS);
  return openBuildsOf(row);
}

export function openBuildsOf(
  { queued, age, in_progress }: OpenBuildsRow = { queued: '0', age: null, in_progress: '0' },
) {
  return {
    queued: Number(queued),
    // Whoever created it may have a clock that is ahead.
    oldestAgeSeconds: age === null ? null : Math.max(0, Number(age)),
    inProgress: Number(in_progress),
  };
}
