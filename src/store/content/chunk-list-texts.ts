import type { Db } from '../database.ts';

/** Returns the text of a version of a content, in pieces; empty if another version has replaced it. */
export async function listChunkTexts(db: Db, contentId: string, version: number): Promise<string[]> {
  const rows = await db<Array<{ text: string }>>`
    SELECT text FROM chunks WHERE content_id = ${contentId} AND version = ${version} ORDER BY seq`;
  return rows.map(({ text }) => text);
}
