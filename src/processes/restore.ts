import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readSettings } from '../contracts/settings.ts';
import { UserError } from '../laptop/user-error.ts';
import { type Db, inTransaction } from '../store/database.ts';
import {
  enterNextEpoch,
  firstFilledTable,
  replaceFirstRow,
  restoreEvents,
  restoreRows,
} from '../store/installation/backup-restore.ts';
import { type BackupTable, listBackupTables } from '../store/installation/backup-table-list.ts';
import { rebuildProjection } from '../store/record/projection-rebuild.ts';
import { RowBatch } from '../store/record/row-batch.ts';
import { STREAM_KINDS } from '../store/record/stream-kinds.ts';
import { summaryOf } from './backup.ts';
import { faultsOf, type Manifest, readLines, readManifest } from './backup-files.ts';
import { blobsOf } from './content.ts';
import { withOwnRecord } from './record-database.ts';

/** Runs `hapax restore`: restores a backup, as the login that runs `hapax migrate`. */
export async function runRestore(given: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const directory = resolve(given);
  const settings = readSettings(environment, 'restore');
  const stated = await readManifest(directory);
  const faults = await faultsOf(directory, stated);
  if (faults.length > 0) {
    throw new UserError(`${directory} is damaged, and nothing was restored:\n${faults.join('\n')}`);
  }
  await withOwnRecord(settings, async (db) => {
    const present = await listBackupTables(db);
    const filled = await firstFilledTable(db, present);
    if (filled !== undefined) {
      throw new UserError(`the database is not empty (table ${filled}): restore into an empty one (docs/backup.md)`);
    }
    const tables = stated.tables.filter((table) => fits(table, present));
    await inTransaction(db, (tx) => putBack(tx, directory, { ...stated, tables }));
    for (const kind of STREAM_KINDS) await rebuildProjection(db, kind);
  });
  const blobs = blobsOf(settings);
  for (const { key, included } of stated.blobs) {
    if (included) await blobs.put(key, await readFile(join(directory, 'blobs', key), 'utf8'));
  }
  console.log(`restored ${summaryOf(stated)}`);
  console.log('start Hapax now: it compares this record with Temporal and repairs differences');
  console.log(
    'what was stopped after the backup is active again: keys, schedules, subscriptions, queues; look at them now',
  );
}

/**
 * Says whether the database has a table of the backup. Without pgvector it has none for vectors, which are made again from the texts.
 * @throws {UserError} if the backup has more than this version knows.
 */
function fits({ name, columns, lines }: Manifest['tables'][number], present: BackupTable[]): boolean {
  const table = present.find((one) => one.name === name);
  if (table && columns.every((column) => table.columns.includes(column))) return true;
  if (!table && name === 'embeddings') {
    console.error(`hapax: ${lines} embeddings are left out, because this database has no pgvector`);
    return false;
  }
  throw new UserError(
    `the backup was made by a newer version: this version does not know all columns of the table ${name}`,
  );
}

async function putBack(tx: Db, directory: string, stated: Manifest): Promise<void> {
  for await (const batch of batches(readLines(directory, stated.events))) await restoreEvents(tx, batch);
  await replaceFirstRow(tx, stated.tables);
  for (const table of stated.tables) {
    for await (const batch of batches(readLines(directory, table))) await restoreRows(tx, table, batch);
  }
  const { installation, last_build_id } = stated;
  await enterNextEpoch(tx, stated.tables, { ...installation, last_build_id });
}

/** Returns JSON arrays of some lines each. */
async function* batches(lines: AsyncIterable<string>): AsyncGenerator<string> {
  const batch = new RowBatch();
  for await (const line of lines) {
    batch.add(line);
    if (batch.isFull) yield batch.take();
  }
  if (!batch.isEmpty) yield batch.take();
}
