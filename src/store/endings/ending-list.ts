import type { Db } from '../database.ts';
import type { AnyStreamKind } from '../record/stream-kind.ts';

/** The end of a build or task, according to the record. */
export interface Ending {
  id: number | string;
  workflow_id: string;
  status: string;
  /** When it was accepted, ISO 8601. */
  created_at: string;
  completed_at: string | null;
}

/** Builds or tasks. */
type Table = Pick<AnyStreamKind, 'table'>;

const PAGE = 1_000;

/** Lists all builds or tasks that have not ended, by id. */
export async function* listOpen(db: Db, { table }: Table): AsyncGenerator<Ending> {
  for (let last: Ending | undefined; ; ) {
    const page: Ending[] = await db<Ending[]>`
      SELECT id, workflow_id, status, created_at, completed_at FROM ${db(table)}
      WHERE completed_at IS NULL ${last ? db`AND id > ${last.id}` : db``} ORDER BY id LIMIT ${PAGE}`;
    yield* page;
    if (page.length < PAGE) return;
    last = page.at(-1);
  }
}

/** Finds the builds or tasks among these that the record knows. There may be more ids than a statement has parameters. */
export async function findEndings(db: Db, { table }: Table, ids: ReadonlyArray<number | string>): Promise<Ending[]> {
  const rows = JSON.stringify(ids.map((id) => ({ id })));
  return db<Ending[]>`
    SELECT id, workflow_id, status, created_at, completed_at FROM ${db(table)}
    WHERE id IN (SELECT id FROM jsonb_populate_recordset(NULL::${db(table)}, ${rows}::jsonb))`;
}
