import type { Db } from '../database.ts';
import type { SummaryKey } from './summary-find.ts';

/**
 * Saves a summary. Replaces an existing one. Drops that of a text which was erased or replaced meanwhile; the lock on the content lets
 * neither happen in between.
 */
export async function saveSummary(
  db: Db,
  key: SummaryKey,
  made: { text: string; revision: string | undefined },
): Promise<void> {
  const { content_id, version, model, part } = key;
  await db`
    INSERT INTO summaries (content_id, version, model, part, text, revision, created_at)
    SELECT id, version, ${model}, ${part}::integer, ${made.text}, ${made.revision ?? null}::text, now()
    FROM contents WHERE id = ${content_id} AND version = ${version} FOR SHARE
    ON CONFLICT (content_id, version, model, part) DO UPDATE
      SET text = excluded.text, revision = excluded.revision, created_at = excluded.created_at`;
}
