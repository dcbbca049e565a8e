import type { Db } from '../database.ts';
import { QUOTA_BUCKET } from './quota-bucket.ts';

/** Lists the units that were given out, by day, since a day. Leaves out days without any. */
export function listUnitsUsed(db: Db, since: string): Promise<Array<{ day: string; units_used: number }>> {
  return db<Array<{ day: string; units_used: number }>>`
    SELECT day, units_used FROM quota_days WHERE bucket = ${QUOTA_BUCKET} AND day >= ${since} ORDER BY day`;
}
