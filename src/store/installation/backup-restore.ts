import { firstIdAfter } from '../builds/build-id-advance.ts';
import type { Db } from '../database.ts';
import type { BackupTable } from './backup-table-list.ts';

/** How far the log was read for artifacts. Of the tables in a backup, only this one gets a row from its migration. */
const WITH_FIRST_ROW = 'artifact_progress';

/** Returns the first table that has rows; undefined if the record is as the migrations make it. */
export async function firstFilledTable(db: Db, tables: BackupTable[]): Promise<string | undefined> {
  const names = tables.map((table) => table.name).filter((name) => name !== WITH_FIRST_ROW);
  for (const name of ['events', ...names]) {
    const found = await db`SELECT FROM ${db(name)} LIMIT 1`;
    if (found.length > 0) return name;
  }
  return undefined;
}

/** Restores events of a log unchanged. @param events a JSON array of them, in the order of the log. */
export async function restoreEvents(tx: Db, events: string): Promise<void> {
  await tx`
    INSERT INTO events (position, stream, seq, type, from_status, to_status, data, occurred_at, recorded_at, dedupe_key,
      previous_hash, hash)
    OVERRIDING SYSTEM VALUE
    SELECT position, stream, seq, type, from_status, to_status, data, occurred_at, recorded_at, dedupe_key,
      previous_hash, hash
    FROM jsonb_populate_recordset(NULL::events, ${events}::jsonb)`;
}

/**
 * Deletes the row from the migration if the backup has one to replace it. An older backup has none; then sets the row as
 * its migration would beside such a log, so that forges are not asked about every run that ever ended.
 */
export async function replaceFirstRow(tx: Db, tables: Array<Pick<BackupTable, 'name'>>): Promise<void> {
  if (tables.some(({ name }) => name === WITH_FIRST_ROW)) await tx`DELETE FROM artifact_progress`;
  else await tx`UPDATE artifact_progress SET end_position = (SELECT coalesce(max(position), 0) FROM events)`;
}

/** Restores rows of a table. @param rows a JSON array of them. */
export async function restoreRows(tx: Db, { name, columns }: BackupTable, rows: string): Promise<void> {
  const table = tx(name);
  const list = tx(columns);
  await tx`
    INSERT INTO ${table} (${list}) OVERRIDING SYSTEM VALUE
    SELECT ${list} FROM jsonb_populate_recordset(NULL::${table}, ${rows}::jsonb)`;
}

/** What a backup says about its installation. */
export interface RestoredInstallation {
  id: string;
  epoch: number;
  reconciled_at: string | null;
  /** The last build id that was reserved. */
  last_build_id: number;
}

/**
 * Makes the restored record belong to its installation, in a new epoch. Numbers that the database generates continue after
 * the used ones.
 */
export async function enterNextEpoch(tx: Db, tables: BackupTable[], restored: RestoredInstallation): Promise<void> {
  const { id, epoch, reconciled_at, last_build_id } = restored;
  await tx`
    UPDATE installation SET id = ${id}::uuid, epoch = ${epoch}::integer + 1, reconciled_at = ${reconciled_at}::timestamptz`;
  await tx`SELECT setval('build_ids', ${firstIdAfter(tx, last_build_id)})`;
  // Configurations that were made after the backup are lost, but builds and schedules elsewhere may still name their ids.
  await tx`SELECT setval('configuration_ids', (SELECT (coalesce(max(id), 0) / 1000 + 1) * 1000 FROM configurations))`;
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
