import type { Db } from '../database.ts';
import { indexEntries, WORDS_FORM } from './chunk-index.ts';
import { stemWords } from './word-stem.ts';

/** Rewrites the words of up to `limit` chunks that have an earlier form. @returns how many there were. */
export async function reindexChunks(db: Db, limit: number): Promise<number> {
  const chunks = await db<Array<{ id: number; title: string; text: string }>>`
    SELECT chunks.id, title, text FROM chunks JOIN contents ON contents.id = content_id
    WHERE words_form < 2 ORDER BY chunks.id LIMIT ${limit}`;
  if (chunks.length === 0) return 0;
  const words = await indexEntries(
    (given) => stemWords(db, given),
    chunks,
    (entry) => entry,
  );
  const rows = chunks.map(({ id }, index) => ({ id, words: words[index] }));
  await db`
    UPDATE chunks SET words = given.words::tsvector, words_form = ${WORDS_FORM}::smallint
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS given (id bigint, words text)
    WHERE chunks.id = given.id`;
  return chunks.length;
}
