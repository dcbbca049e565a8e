import type { QuotaBucket } from '../../domain/content/youtube-quota.ts';
import type { Db } from '../database.ts';

/** Lists the units of a bucket that were given out, by day, since a day. Leaves out days without any. */
export function listUnitsUsed(
  db: Db,
  bucket: QuotaBucket,
  since: string,
): Promise<Array<{ day: string; units_used: number }>> {
  return db<Array<{ day: string; units_used: number }>>`
    SELECT day, units_used FROM quota_days WHERE bucket = ${bucket} AND day >= ${since} ORDER BY day`;
}
