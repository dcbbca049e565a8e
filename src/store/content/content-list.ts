import type { Content, ContentFilter } from '../../contracts/content/content.ts';
import { allOf, type Db, type Fragment } from '../database.ts';
import { type Cursor, type Page, pageOf } from '../page.ts';
import { type ContentRow, contentFromRow } from './content-row.ts';

/** Lists one page of content, newest first. */
export async function listContents(
  db: Db,
  filter: ContentFilter,
  { after, limit }: { after: Cursor | undefined; limit: number },
): Promise<Page<Content>> {
  const isLater = after && db`(created_at, id) < (${after.created_at}, ${after.id})`;
  const rows = await db<ContentRow[]>`
    SELECT * FROM contents WHERE ${allOf(db, [matchesFilter(db, filter), isLater])}
    ORDER BY created_at DESC, id DESC LIMIT ${limit + 1}`;
  const { items, end } = pageOf(rows, limit);
  return { items: items.map(contentFromRow), end };
}

/** Returns the condition of a filter on content. */
export function matchesFilter(db: Db, { type, tags = [] }: ContentFilter): Fragment {
  return allOf(db, [
    type && db`contents.type = ${type}`,
    tags.length === 0 ? undefined : db`contents.tags @> ${JSON.stringify(tags)}::jsonb`,
  ]);
}
