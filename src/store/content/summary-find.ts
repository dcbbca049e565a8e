import { and, eq } from 'drizzle-orm';
import { textOfAnswer } from '../../domain/content/model-answer.ts';
import type { Db } from '../database.ts';
import { summaries } from '../schema.ts';

/** Which summary: of a version of a content, by a model; part 0 is of the whole. */
export interface SummaryKey {
  content_id: string;
  version: number;
  model: string;
  part: number;
}

/**
 * A summary that was made before, unless another model of that name made it. A summary of an earlier version may have the
 * model's thoughts in it.
 */
export async function findSummary(db: Db, key: SummaryKey, revision: string | undefined): Promise<string | undefined> {
  const [row] = await db
    .select({ text: summaries.text, revision: summaries.revision })
    .from(summaries)
    .where(
      and(
        eq(summaries.content_id, key.content_id),
        eq(summaries.version, key.version),
        eq(summaries.model, key.model),
        eq(summaries.part, key.part),
      ),
    );
  const isOfAnother = row?.revision && revision && row.revision !== revision;
  return row && !isOfAnother ? textOfAnswer(row.text) : undefined;
}
