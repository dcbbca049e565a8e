import { and, asc, eq } from 'drizzle-orm';
import type { Db } from '../database.ts';
import { chunks } from '../schema.ts';

/** The text of a version of a content, in pieces; empty where another version has replaced it. */
export async function listChunkTexts(db: Db, contentId: string, version: number): Promise<string[]> {
  const rows = await db
    .select({ text: chunks.text })
    .from(chunks)
    .where(and(eq(chunks.content_id, contentId), eq(chunks.version, version)))
    .orderBy(asc(chunks.seq));
  return rows.map(({ text }) => text);
}
