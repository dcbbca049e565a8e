import type { Db } from './database.ts';
import { summaries } from './schema.ts';
import type { SummaryKey } from './summary-find.ts';

/** Keeps a summary; one that is there stays. */
export async function saveSummary(db: Db, key: SummaryKey, text: string): Promise<void> {
  await db
    .insert(summaries)
    .values({ ...key, text, created_at: new Date().toISOString() })
    .onConflictDoNothing();
}
