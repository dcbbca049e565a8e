import type { Db } from '../database.ts';
import { type BuildFilter, matchesUnchanging } from './build-list.ts';

/** Which builds are counted. */
export type CountedBuilds = Omit<BuildFilter, 'limit' | 'after'>;

/** How many builds match, up to a number: counting all of a large table would take longer than anybody waits. */
export async function countBuilds(db: Db, { status, ...filter }: CountedBuilds, most: number): Promise<number> {
  const [row] = await db<Array<{ count: number }>>`
    SELECT count(*) AS count FROM (
      SELECT FROM builds
      WHERE ${status === undefined ? db`true` : db`status = ${status}`} AND ${matchesUnchanging(db, { ...filter, limit: most })}
      LIMIT ${most}
    ) AS matching`;
  return row!.count;
}

/** When the oldest build was created; undefined where there is none. */
export async function findOldestBuild(db: Db): Promise<string | undefined> {
  const [row] = await db<Array<{ created_at: string }>>`SELECT created_at FROM builds ORDER BY created_at, id LIMIT 1`;
  return row?.created_at;
}
