import { and, desc, eq, type SQL, sql } from 'drizzle-orm';
import type { Content, ContentFilter } from '../../contracts/content/content.ts';
import type { Db } from '../database.ts';
import { type Cursor, type Page, pageOf } from '../page.ts';
import { contents } from '../schema.ts';
import { contentFromRow } from './content-row.ts';

/** One page of content, newest first. */
export async function listContents(
  db: Db,
  filter: ContentFilter,
  { after, limit }: { after: Cursor | undefined; limit: number },
): Promise<Page<Content>> {
  const rows = await db
    .select()
    .from(contents)
    .where(
      and(
        matchesFilter(filter),
        after && sql`(${contents.created_at}, ${contents.id}) < (${after.created_at}::timestamptz, ${after.id})`,
      ),
    )
    .orderBy(desc(contents.created_at), desc(contents.id))
    .limit(limit + 1);
  const { items, end } = pageOf(rows, limit);
  return { items: items.map(contentFromRow), end };
}

/** What a filter asks of content. */
export function matchesFilter({ type, tags }: ContentFilter): SQL | undefined {
  return and(
    type === undefined ? undefined : eq(contents.type, type),
    tags === undefined || tags.length === 0 ? undefined : sql`${contents.tags} @> ${JSON.stringify(tags)}::jsonb`,
  );
}
