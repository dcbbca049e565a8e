import { and, desc, eq, type SQL, sql } from 'drizzle-orm';
import type { Content, ContentFilter } from '../contracts/content.ts';
import { contentFromRow } from './content-row.ts';
import type { Db } from './database.ts';
import { contents } from './schema.ts';

/** Where a page of content ends; the next begins after it. */
export interface ContentCursor {
  created_at: string;
  id: string;
}

/** One page of content, newest first, and where it ends if there is more. */
export async function listContents(
  db: Db,
  filter: ContentFilter,
  { after, limit }: { after: ContentCursor | undefined; limit: number },
): Promise<{ contents: Content[]; end: ContentCursor | undefined }> {
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
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    contents: page.map(contentFromRow),
    end: rows.length > limit && last ? { created_at: last.created_at, id: last.id } : undefined,
  };
}

/** What a filter asks of content. */
export function matchesFilter({ type, tags }: ContentFilter): SQL | undefined {
  return and(
    type === undefined ? undefined : eq(contents.type, type),
    tags === undefined || tags.length === 0 ? undefined : sql`${contents.tags} @> ${JSON.stringify(tags)}::jsonb`,
  );
}
