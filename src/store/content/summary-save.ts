import type { Db } from '../database.ts';
import { summaries } from '../schema.ts';
import type { SummaryKey } from './summary-find.ts';

/** Keeps a summary, instead of one that was made before. */
export async function saveSummary(
  db: Db,
  key: SummaryKey,
  made: { text: string; revision: string | undefined },
): Promise<void> {
  const row = { text: made.text, revision: made.revision ?? null, created_at: new Date().toISOString() };
  await db
    .insert(summaries)
    .values({ ...key, ...row })
    .onConflictDoUpdate({
      target: [summaries.content_id, summaries.version, summaries.model, summaries.part],
      set: row,
    });
}
