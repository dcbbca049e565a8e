import type { Db } from '../database.ts';

/** The values beside an event may have megabytes. */
const BATCH = 100;

/** Reads the rows of a table as JSON, in no order. @param snapshot a transaction, because a cursor lives in one. */
export async function* scanTable(snapshot: Db, table: string): AsyncGenerator<string> {
  const cursor = snapshot(`backup_${table}`);
  await snapshot`DECLARE ${cursor} NO SCROLL CURSOR FOR SELECT to_jsonb(row)::text AS json FROM ${snapshot(table)} AS row`;
  for (let full = true; full; ) {
    const rows = await snapshot<Array<{ json: string }>>`FETCH ${snapshot.unsafe(String(BATCH))} FROM ${cursor}`;
    for (const { json } of rows) yield json;
    full = rows.length === BATCH;
  }
  await snapshot`CLOSE ${cursor}`;
}
