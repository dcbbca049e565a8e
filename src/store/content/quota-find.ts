import type { QuotaBucket } from '../../domain/content/youtube-quota.ts';
import type { Db } from '../database.ts';

/** Returns the units of a bucket that were given out on a day, YYYY-MM-DD. */
export async function findUnitsUsed(db: Db, bucket: QuotaBucket, day: string): Promise<number> {
  const [row] = await db<Array<{ units_used: number }>>`
    SELECT units_used FROM quota_days WHERE bucket = ${bucket} AND day = ${day}`;
  return row?.units_used ?? 0;
}
