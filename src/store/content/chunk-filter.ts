import type { ContentFilter } from '../../contracts/content/content.ts';
import type { Db, Fragment } from '../database.ts';
import { matchesFilter } from './content-list.ts';

/** Which chunks a search is about. */
export interface ChunkFilter {
  /** The condition on their content. */
  condition: Fragment;
  /**
   * Whether so few chunks pass that they are compared one by one; otherwise the ranking's index is followed and its results
   * are filtered. The planner knows little about tags: left to it, the wrong one of the two was ten times slower.
   */
  few: boolean;
}

const FEW_CHUNKS = 4_000;

/** Undefined where all chunks pass. */
export async function readChunkFilter(db: Db, filter: ContentFilter): Promise<ChunkFilter | undefined> {
  if (filter.type === undefined && (filter.tags ?? []).length === 0) return undefined;
  const condition = matchesFilter(db, filter);
  const [row] = await db<Array<{ few: boolean }>>`
    SELECT count(*) <= ${FEW_CHUNKS} AS few FROM (
      SELECT FROM contents JOIN chunks ON content_id = contents.id WHERE ${condition} LIMIT ${FEW_CHUNKS + 1}
    ) AS passing`;
  return { condition, few: row?.few === true };
}
