import { sql } from 'drizzle-orm';
import { OPEN_BUILDS, type OpenBuilds, type OpenBuildsRow, openBuildsOf } from './build-count-open.ts';
import type { Db } from './database.ts';

export interface RecordMeasures extends OpenBuilds {
  deadLetters: number;
  /** Of the log; counting its events would read all of them. */
  lastPosition: number;
}

/** What is worth watching of the record, in one query that reads small indexes only. */
export async function measureRecord(db: Db): Promise<RecordMeasures> {
  const [row] = await db.execute<OpenBuildsRow & { dead: string; last_position: string }>(sql`
    SELECT open.*,
           (SELECT count(*) FROM builds WHERE dead_lettered OR needs_attention) AS dead,
           (SELECT coalesce(max(position), 0) FROM events) AS last_position
    FROM (${OPEN_BUILDS}) AS open`);
  return { ...openBuildsOf(row), deadLetters: Number(row?.dead), lastPosition: Number(row?.last_position) };
}
