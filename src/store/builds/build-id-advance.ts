import type { Db, Fragment } from '../database.ts';

/** Returns the id at which builds go on if ids after the last known one may be in use: nobody knows how many were handed out since. */
export function firstIdAfter(db: Db, lastKnown: number): Fragment {
  return db`(${lastKnown}::bigint / 1000000 + 1) * 1000000`;
}

/**
 * Makes sure that no id of a build is handed out twice. If an id is in use that the record has not handed out, the record
 * was set back: ids continue far above it, and the installation enters a new epoch.
 * @param highest the highest id known to be in use.
 * @returns the new epoch; undefined if the record had handed out that id.
 */
export async function advanceBuildIds(db: Db, highest: number): Promise<number | undefined> {
  const [row] = await db<Array<{ epoch: number }>>`
    WITH raised AS (
      UPDATE installation SET epoch = epoch + 1
      WHERE (SELECT last_value FROM build_ids) < ${highest}::bigint RETURNING epoch
    )
    SELECT epoch, setval('build_ids', ${firstIdAfter(db, highest)}) FROM raised`;
  return row?.epoch;
}
