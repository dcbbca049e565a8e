import type { ContentDetail } from '../../contracts/content/content.ts';
import { textOfAnswer } from '../../domain/content/model-answer.ts';
import type { Db } from '../database.ts';
import { type ContentRow, contentFromRow } from './content-row.ts';
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
  const summaries = await db<Array<{ model: string; text: string; created_at: string }>>`
    SELECT model, text, created_at FROM summaries
    WHERE content_id = ${id} AND version = ${row.version} AND part = 0 ORDER BY model`;
  const embedded = (await hasEmbeddings(db))
    ? await db<ContentDetail['embedded']>`
        SELECT model, count(*) AS chunks FROM embeddings JOIN chunks ON chunks.id = chunk_id
        WHERE content_id = ${id} GROUP BY model ORDER BY model`
    : [];
  return {
    ...contentFromRow(row),
    chunks: texts.length,
    embedded: [...embedded],
    summaries: summaries.flatMap(({ model, text: answer, created_at }) => {
      // An earlier version of Hapax kept the model's thoughts with the summary.
      const text = textOfAnswer(answer);
      return text === undefined ? [] : [{ model, text, created_at }];
    }),
    ...(withChunks ? { chunk_texts: texts.map(({ text }) => text) } : {}),
  };
}
