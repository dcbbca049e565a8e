import { and, eq } from 'drizzle-orm';
import type { Db } from './database.ts';
import { summaries } from './schema.ts';

/** Which summary: of a version of a content, by a model; part 0 is of the whole. */
export interface SummaryKey {
  content_id: string;
  version: number;
  model: string;
  part: number;
}

/** A summary that was made before. */
export async function findSummary(db: Db, key: SummaryKey): Promise<string | undefined> {
  const [row] = await db
    .select({ text: summaries.text })
    .from(summaries)
    .where(
      and(
        eq(summaries.content_id, key.content_id),
        eq(summaries.version, key.version),
        eq(summaries.model, key.model),
        eq(summaries.part, key.part),
      ),
    );
  return row?.text;
}
