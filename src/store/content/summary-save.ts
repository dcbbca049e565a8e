import type { Db } from '../database.ts';
import type { SummaryKey } from './summary-find.ts';

/** Keeps a summary, instead of one that was made before. */
export async function saveSummary(
  db: Db,
  key: SummaryKey,
  made: { text: string; revision: string | undefined },
): Promise<void> {
  const { content_id, version, model, part } = key;
  const row = { text: made.text, revision: made.revision ?? null, created_at: new Date().toISOString() };
  await db`
    INSERT INTO summaries ${db({ content_id, version, model, part, ...row })}
    ON CONFLICT (content_id, version, model, part) DO UPDATE SET ${db(row)}`;
}
