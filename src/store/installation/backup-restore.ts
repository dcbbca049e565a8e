import { firstIdAfter } from '../builds/build-id-advance.ts';
import type { Db } from '../database.ts';
import type { BackupTable } from './backup-table-list.ts';

/** The first table that holds anything; undefined where the record is as the migrations make it. */
export async function firstFilledTable(db: Db, tables: BackupTable[]): Promise<string | undefined> {
  for (const name of ['events', ...tables.map((table) => table.name)]) {
    const found = await db`SELECT FROM ${db(name)} LIMIT 1`;
    if (found.length > 0) return name;
  }
  return undefined;
}

/** Puts events of a log back, as they were. @param events JSON of each, in the order of the log. */
export async function restoreEvents(tx: Db, events: string[]): Promise<void> {
  await tx`
    INSERT INTO events (position, stream, seq, type, from_status, to_status, data, occurred_at, recorded_at, dedupe_key,
      previous_hash, hash)
    OVERRIDING SYSTEM VALUE
    SELECT position, stream, seq, type, from_status, to_status, data, occurred_at, recorded_at, dedupe_key,
      previous_hash, hash
    FROM jsonb_populate_recordset(NULL::events, ${`[${events.join(',')}]`}::jsonb)`;
}

/** Puts rows of a table back. @param rows JSON of each. */
export async function restoreRows(tx: Db, { name, columns }: BackupTable, rows: string[]): Promise<void> {
  const table = tx(name);
  const list = tx(columns);
  await tx`
    INSERT INTO ${table} (${list}) OVERRIDING SYSTEM VALUE
    SELECT ${list} FROM jsonb_populate_recordset(NULL::${table}, ${`[${rows.join(',')}]`}::jsonb)`;
}

/** What a backup knows of its installation. */
export interface RestoredInstallation {
  id: string;
  epoch: number;
  reconciled_at: string | null;
  /** The last id of a build that was reserved. */
  last_build_id: number;
}

/**
 * Makes the restored record that of its installation, in a new epoch. Numbers that the database gives out go on above those
 * that are used.
 */
export async function enterNextEpoch(tx: Db, tables: BackupTable[], restored: RestoredInstallation): Promise<void> {
  const { id, epoch, reconciled_at, last_build_id } = restored;
  await tx`
    UPDATE installation SET id = ${id}::uuid, epoch = ${epoch}::integer + 1, reconciled_at = ${reconciled_at}::timestamptz`;
  await tx`SELECT setval('build_ids', ${firstIdAfter(tx, last_build_id)})`;
  for (const name of ['events', ...tables.map((table) => table.name)]) {
    const identities = await tx<Array<{ column: string }>>`
      SELECT attname AS column FROM pg_attribute WHERE attrelid = ${name}::regclass AND attidentity <> ''`;
    for (const { column } of identities) {
      const numbered = tx(column);
      await tx`
        SELECT setval(pg_get_serial_sequence(${name}, ${column}), highest)
        FROM (SELECT max(${numbered}) AS highest FROM ${tx(name)}) AS used WHERE highest IS NOT NULL`;
    }
  }
}
