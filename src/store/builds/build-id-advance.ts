import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../database.ts';

/** After a record was set back, ids go on at the next multiple of this: nobody knows how many were handed out since. */
const EPOCH_IDS = sql.raw('1000000');

/** Where ids of builds go on once others than the last known may be in use. */
export function firstIdAfter(lastKnown: number): SQL {
  return sql`(${lastKnown}::bigint / ${EPOCH_IDS} + 1) * ${EPOCH_IDS}`;
}

/**
 * Makes sure that no id of a build is handed out a second time. Where an id is in use that the record has not handed out, the
 * record was set back: ids continue far above it, and the installation enters a new epoch.
 * @param highest the highest id that is known to be in use.
 * @returns the new epoch; undefined where the record had handed out that id.
 */
export async function advanceBuildIds(db: Db, highest: number): Promise<number | undefined> {
  const [row] = await db.execute<{ epoch: number }>(sql`
    WITH raised AS (
      UPDATE installation SET epoch = epoch + 1
      WHERE (SELECT last_value FROM build_ids) < ${highest}::bigint RETURNING epoch
    )
    SELECT epoch, setval('build_ids', ${firstIdAfter(highest)}) FROM raised`);
  return row?.epoch;
}
