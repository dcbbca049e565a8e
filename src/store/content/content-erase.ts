import { inAnyCase } from '../any-case.ts';
import { type Db, inTransaction } from '../database.ts';

/** Deletes a content with everything made from it, all or nothing. Vectors are deleted with their chunks. */
export async function eraseContent(db: Db, id: string): Promise<void> {
  await inTransaction(db, async (tx) => {
    // Locks the content first, as saving it does.
    await tx`SELECT FROM contents WHERE id = ${id} FOR UPDATE`;
    await tx`DELETE FROM chunks WHERE content_id = ${id}`;
    await tx`DELETE FROM summaries WHERE content_id = ${id}`;
    await tx`DELETE FROM contents WHERE id = ${id}`;
  });
}

/** Finds contents that have a text in themselves or in anything made from them; returns their ids, newest first. Reads all contents. */
export async function findContentsWithText(db: Db, text: string, limit: number): Promise<string[]> {
  const has = (column: string) => db`${db.unsafe(column)} ~ ${inAnyCase(text)}::text`;
  const whole = "(SELECT string_agg(text, '' ORDER BY seq) FROM chunks WHERE content_id = contents.id)";
  const rows = await db<Array<{ id: string }>>`
    SELECT id FROM contents
    WHERE ${has("concat_ws(' ', id, url, title, author, tags::text)")}
      OR ${has(whole)}
      OR EXISTS (SELECT FROM summaries WHERE content_id = contents.id AND ${has('text')})
    ORDER BY created_at DESC, id LIMIT ${limit}`;
  return rows.map(({ id }) => id);
}

/** Lists ids of contents that were brought in, or last changed, before a time, oldest first. */
export async function listContentsBefore(db: Db, before: string, limit: number): Promise<string[]> {
  const rows = await db<Array<{ id: string }>>`
    SELECT id FROM contents WHERE updated_at < ${before}::timestamptz ORDER BY updated_at, id LIMIT ${limit}`;
  return rows.map(({ id }) => id);
}
