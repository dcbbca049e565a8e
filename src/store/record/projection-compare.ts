import type { ChainFault, ChainHead } from '../../domain/record/hash.ts';
import type { Db } from '../database.ts';
import type { AnyStreamKind } from './stream-kind.ts';

/** A row of the projection that differs from what its events add up to. */
export interface RowDifference {
  id: string;
  /** Columns that differ; empty if the row is missing. */
  columns: string[];
  /** The head of the stream according to the row; undefined if the row is missing. */
  head: ChainHead | undefined;
}

/**
 * Finds rows of the projection that differ from these. Postgres compares them byte by byte, so that no conversion hides a difference.
 * @param expected a JSON array of rows.
 */
export async function compareRows(db: Db, { table }: AnyStreamKind, expected: string): Promise<RowDifference[]> {
  const rows = await db<Array<{ id: string; columns: string; last_seq: number | null; last_hash: string | null }>>`
    SELECT told.id::text, existing.last_seq, existing.last_hash, (
      SELECT string_agg(key, ',' ORDER BY key) FROM jsonb_each(to_jsonb(told)) JOIN jsonb_each(to_jsonb(existing)) AS other USING (key)
      WHERE jsonb_each.value IS DISTINCT FROM other.value) AS columns
    FROM jsonb_populate_recordset(NULL::${db(table)}, ${expected}::jsonb) AS told
    LEFT JOIN ${db(table)} AS existing ON existing.id = told.id
    WHERE NOT coalesce(existing *= told, false)`;
  return rows.map(({ id, columns, last_seq, last_hash }) => ({
    id,
    columns: columns?.split(',') ?? [],
    head: last_seq === null || last_hash === null ? undefined : { seq: last_seq, hash: last_hash },
  }));
}

/** Says what a difference means for a stream, given where its events end. */
export function differenceFault({ head: projected, columns }: RowDifference, head: ChainHead): ChainFault {
  if (!projected) return { seq: head.seq, fault: 'there is no stored state for it' };
  if (projected.seq > head.seq) {
    const missing = head.seq + 1;
    return { seq: missing, fault: `event ${missing} is missing: the stored state goes up to event ${projected.seq}` };
  }
  if (projected.seq < head.seq) {
    const fault = `was added without its stored state, which ends at event ${projected.seq}`;
    return { seq: projected.seq + 1, fault };
  }
  if (projected.hash !== head.hash) {
    return { seq: head.seq, fault: 'was replaced: the stored state holds another hash of it' };
  }
  return { seq: head.seq, fault: `the stored state differs from what the events give: ${columns.join(', ')}` };
}
