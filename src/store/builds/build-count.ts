import type { Db } from '../database.ts';
import { type Count, countMatching } from '../list-window.ts';
import { type BuildFilter, buildSelection } from './build-list.ts';

/** A filter for the builds to count. */
export type CountedBuilds = Omit<BuildFilter, 'limit' | 'after'>;

/** Counts the builds that match, up to a bound: counting all of a large table would take longer than anybody waits. */
export function countBuilds(db: Db, filter: CountedBuilds): Promise<Count> {
  return countMatching(db, 'builds', buildSelection(db, filter));
}

/** Returns when the oldest build was created; undefined if there is none. */
export async function findOldestBuild(db: Db): Promise<string | undefined> {
  const [row] = await db<Array<{ created_at: string }>>`SELECT created_at FROM builds ORDER BY created_at, id LIMIT 1`;
  return row?.created_at;
}
