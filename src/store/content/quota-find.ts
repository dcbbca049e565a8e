import { and, eq } from 'drizzle-orm';
import type { QuotaBucket } from '../../domain/content/youtube-quota.ts';
import type { Db } from '../database.ts';
import { quotaDays } from '../schema.ts';

/** Units of a bucket that were given away on a day, YYYY-MM-DD. */
export async function findUnitsUsed(db: Db, bucket: QuotaBucket, day: string): Promise<number> {
  const [row] = await db
    .select({ used: quotaDays.units_used })
    .from(quotaDays)
    .where(and(eq(quotaDays.bucket, bucket), eq(quotaDays.day, day)));
  return row?.used ?? 0;
}
