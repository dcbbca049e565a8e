import { allOf, type Db, type Fragment } from '../database.ts';

/** What makes vectors: only those of the same maker can be compared. */
export interface VectorMaker {
  model: string;
  /** Tells models of one name apart; undefined where nobody knows. */
  revision: string | undefined;
  /** Length of its vectors; undefined where nobody knows. */
  dimensions: number | undefined;
}

/** The condition that a row of embeddings is of this maker, as far as is known. */
export function isMadeBy(db: Db, { model, revision, dimensions }: VectorMaker): Fragment {
  return allOf(db, [
    db`embeddings.model = ${model}`,
    revision === undefined ? undefined : db`coalesce(embeddings.revision = ${revision}, true)`,
    // Written out and no parameter, so that the planner finds the index for this length.
    dimensions === undefined ? undefined : db`embeddings.dimensions = ${db.unsafe(String(Math.trunc(dimensions)))}`,
  ]);
}
