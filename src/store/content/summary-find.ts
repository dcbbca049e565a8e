import { textOfAnswer } from '../../domain/content/model-answer.ts';
import type { Db } from '../database.ts';

/** The key of a summary: a version of a content and a model. Part 0 is the summary of the whole. */
export interface SummaryKey {
  content_id: string;
  version: number;
  model: string;
  part: number;
}

/**
 * Finds an existing summary, unless another model with that name made it. Strips the model's thoughts, which an earlier
 * version of Hapax kept.
 */
export async function findSummary(db: Db, key: SummaryKey, revision: string | undefined): Promise<string | undefined> {
  const [row] = await db<Array<{ text: string; revision: string | null }>>`
    SELECT text, revision FROM summaries
    WHERE content_id = ${key.content_id} AND version = ${key.version} AND model = ${key.model} AND part = ${key.part}`;
  const isOfAnother = row?.revision && revision && row.revision !== revision;
  return row && !isOfAnother ? textOfAnswer(row.text) : undefined;
}
