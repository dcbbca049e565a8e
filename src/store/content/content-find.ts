import type { ContentDetail } from '../../contracts/content/content.ts';
import type { Db } from '../database.ts';
import { type ContentRow, detailOf } from './content-row.ts';
import { hasEmbeddings } from './embedding-available.ts';

/** Finds content by its id. */
export async function findContent(db: Db, id: string): Promise<ContentRow | undefined> {
  const [row] = await db<ContentRow[]>`SELECT * FROM contents WHERE id = ${id}`;
  return row;
}

/** Finds content with everything made from it. */
export async function findContentDetail(db: Db, id: string, withChunks: boolean): Promise<ContentDetail | undefined> {
  const row = await findContent(db, id);
  if (!row) return undefined;
  const texts = await db<Array<{ text: string }>>`
    SELECT ${withChunks ? db`text` : db`'' AS text`} FROM chunks WHERE content_id = ${id} ORDER BY seq`;
  const summaries = await db<ContentDetail['summaries']>`
    SELECT model, text, created_at FROM summaries
    WHERE content_id = ${id} AND version = ${row.version} AND part = 0 ORDER BY model`;
  const embedded = (await hasEmbeddings(db))
    ? await db<ContentDetail['embedded']>`
        SELECT model, count(*) AS chunks FROM embeddings JOIN chunks ON chunks.id = chunk_id
        WHERE content_id = ${id} GROUP BY model ORDER BY model`
    : [];
  return detailOf(row, { texts, summaries, embedded }, withChunks);
}
