import type { ContentFilter } from '../../contracts/content/content.ts';
import { allOf, type Db, type Fragment } from '../database.ts';

/** The chunks that a search covers. */
export interface ChunkFilter {
  /** The condition on their content. */
  condition: Fragment;
  /**
   * Whether so few chunks pass that they are compared one by one. Otherwise the query follows the index of the ranking and
   * filters its results. The planner knows little about tags: when it chose, the wrong way was ten times slower.
   */
  few: boolean;
}

const FEW_CHUNKS = 4_000;

/** Returns the condition of a filter on content. */
export function matchesFilter(db: Db, { type, tags = [] }: ContentFilter): Fragment {
  return allOf(db, [
    type && db`contents.type = ${type}`,
    tags.length === 0 ? undefined : db`contents.tags @> ${JSON.stringify(tags)}::jsonb`,
  ]);
}

/** Returns the filter for chunks; undefined if all chunks pass. */
export async function readChunkFilter(db: Db, filter: ContentFilter): Promise<ChunkFilter | undefined> {
  if (filter.type === undefined && (filter.tags ?? []).length === 0) return undefined;
  const condition = matchesFilter(db, filter);
  const [row] = await db<Array<{ few: boolean }>>`
    SELECT count(*) <= ${FEW_CHUNKS} AS few FROM (
      SELECT FROM contents JOIN chunks ON content_id = contents.id WHERE ${condition} LIMIT ${FEW_CHUNKS + 1}
    ) AS passing`;
  return { condition, few: row?.few === true };
}
