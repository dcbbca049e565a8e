import { sql } from 'drizzle-orm';
import type { Db } from '../database.ts';

const BATCH = 500;

/** The rows of a table as JSON, in no order. @param snapshot a transaction: a cursor lives in one. */
export async function* scanTable(snapshot: Db, table: string): AsyncGenerator<string> {
  const cursor = sql.identifier(`backup_${table}`);
  await snapshot.execute(
    sql`DECLARE ${cursor} NO SCROLL CURSOR FOR SELECT to_jsonb(row)::text AS json FROM ${sql.identifier(table)} AS row`,
  );
  for (let full = true; full; ) {
    const rows = await snapshot.execute<{ json: string }>(sql`FETCH ${sql.raw(String(BATCH))} FROM ${cursor}`);
    for (const { json } of rows) yield json;
    full = rows.length === BATCH;
  }
  await snapshot.execute(sql`CLOSE ${cursor}`);
}
