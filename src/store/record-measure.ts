import { sql } from 'drizzle-orm';
import { quotaDay } from '../domain/quota-day.ts';
import { OPEN_BUILDS, type OpenBuilds, type OpenBuildsRow, openBuildsOf } from './build-count-open.ts';
import type { Db } from './database.ts';

export interface RecordMeasures extends OpenBuilds {
  deadLetters: number;
  /** Of the log; counting its events would read all of them. */
  lastPosition: number;
  /** Of the general bucket of the YouTube Data API, today. */
  youtubeUnitsUsed: number;
}

/** What is worth watching of the record, in one query that reads small indexes only. */
export async function measureRecord(db: Db): Promise<RecordMeasures> {
  const today = quotaDay(Date.now());
  const [row] = await db.execute<OpenBuildsRow & { dead: string; last_position: string; youtube_units: string }>(sql`
    SELECT open.*,
           (SELECT count(*) FROM builds WHERE dead_lettered OR needs_attention) AS dead,
           (SELECT coalesce(max(position), 0) FROM events) AS last_position,
           (SELECT coalesce(sum(units_used), 0) FROM quota_days WHERE bucket = 'general' AND day = ${today}::date) AS youtube_units
    FROM (${OPEN_BUILDS}) AS open`);
  return {
    ...openBuildsOf(row),
    deadLetters: Number(row?.dead),
    lastPosition: Number(row?.last_position),
    youtubeUnitsUsed: Number(row?.youtube_units),
  };
}
