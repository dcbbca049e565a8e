import { type SQL, sql } from 'drizzle-orm';

/** What makes vectors: only those of the same maker can be compared. */
export interface VectorMaker {
  model: string;
  /** Tells models of one name apart; undefined where nobody knows. */
  revision: string | undefined;
  /** Length of its vectors; undefined where nobody knows. */
  dimensions: number | undefined;
}

/** The condition that a row of embeddings is of this maker, as far as is known. */
export function isMadeBy({ model, revision, dimensions }: VectorMaker, table = 'embeddings'): SQL {
  const column = (name: string) => sql.raw(`${table}.${name}`);
  const conditions = [sql`${column('model')} = ${model}`];
  if (revision !== undefined) conditions.push(sql`coalesce(${column('revision')} = ${revision}, true)`);
  // Written out and no parameter, so that the planner finds the index for this length.
  if (dimensions !== undefined)
    conditions.push(sql`${column('dimensions')} = ${sql.raw(String(Math.trunc(dimensions)))}`);
  return sql.join(conditions, sql` AND `);
}
