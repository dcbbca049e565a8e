import { allOf, type Db, type Fragment } from '../database.ts';

/** The model that makes vectors. Only vectors of the same maker can be compared. */
export interface VectorMaker {
  model: string;
  /** Distinguishes models with one name; undefined if unknown. */
  revision: string | undefined;
  /** Length of its vectors; undefined if unknown. */
  dimensions: number | undefined;
}

/** Returns the condition that a row of embeddings is from this maker, as far as known. */
export function isMadeBy(db: Db, { model, revision, dimensions }: VectorMaker): Fragment {
  return allOf(db, [
    db`embeddings.model = ${model}`,
    revision === undefined ? undefined : db`coalesce(embeddings.revision = ${revision}, true)`,
    // A literal instead of a parameter, so that the planner finds the index for this length.
    dimensions === undefined ? undefined : db`embeddings.dimensions = ${db.unsafe(String(Math.trunc(dimensions)))}`,
  ]);
}
