import { asc, eq, sql } from 'drizzle-orm';
import type { ContentDetail } from '../../contracts/content/content.ts';
import { textOfAnswer } from '../../domain/content/model-answer.ts';
import type { Db } from '../database.ts';
import { chunks, contents } from '../schema.ts';
import type { ContentRow } from './content-row.ts';
import { contentFromRow } from './content-row.ts';
import { hasEmbeddings } from './embedding-available.ts';

/** Content by its id. */
export async function findContent(db: Db, id: string): Promise<ContentRow | undefined> {
  const [row] = await db.select().from(contents).where(eq(contents.id, id));
  return row;
}

/** Content with what was made of it. */
export async function findContentDetail(db: Db, id: string, withChunks: boolean): Promise<ContentDetail | undefined> {
  const row = await findContent(db, id);
  if (!row) return undefined;
  const texts = await db
    .select({ text: withChunks ? chunks.text : sql<string>`''` })
    .from(chunks)
    .where(eq(chunks.content_id, id))
    .orderBy(asc(chunks.seq));
  const summaries = await db.execute<{ model: string; text: string; created_at: string }>(sql`
    SELECT model, text, created_at FROM summaries
    WHERE content_id = ${id} AND version = ${row.version} AND part = 0 ORDER BY model`);
  const embedded = (await hasEmbeddings(db))
    ? await db.execute<{ model: string; chunks: string }>(sql`
        SELECT model, count(*) AS chunks FROM embeddings JOIN chunks ON chunks.id = chunk_id
        WHERE content_id = ${id} GROUP BY model ORDER BY model`)
    : [];
  return {
    ...contentFromRow(row),
    chunks: texts.length,
    embedded: embedded.map((one) => ({ model: one.model, chunks: Number(one.chunks) })),
    summaries: summaries.flatMap(({ model, text: answer, created_at }) => {
      // An earlier version kept the model's thoughts with the summary.
      const text = textOfAnswer(answer);
      return text === undefined ? [] : [{ model, text, created_at: new Date(created_at).toISOString() }];
    }),
    ...(withChunks ? { chunk_texts: texts.map(({ text }) => text) } : {}),
  };
}
