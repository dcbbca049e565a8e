import { textOfAnswer } from '../../domain/content/model-answer.ts';
import type { Db } from '../database.ts';

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
  const [row] = await db<Array<{ text: string; revision: string | null }>>`
    SELECT text, revision FROM summaries
    WHERE content_id = ${key.content_id} AND version = ${key.version} AND model = ${key.model} AND part = ${key.part}`;
  const isOfAnother = row?.revision && revision && row.revision !== revision;
  return row && !isOfAnother ? textOfAnswer(row.text) : undefined;
}
