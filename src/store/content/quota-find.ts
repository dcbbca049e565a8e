import type { Db } from '../database.ts';
import { QUOTA_BUCKET } from './quota-bucket.ts';

/** Returns the units that were given out on a day, YYYY-MM-DD. */
export async function findUnitsUsed(db: Db, day: string): Promise<number> {
  const [row] = await db<Array<{ units_used: number }>>`
    SELECT units_used FROM quota_days WHERE bucket = ${QUOTA_BUCKET} AND day = ${day}`;
  return row?.units_used ?? 0;
}
