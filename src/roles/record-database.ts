import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Settings } from '../contracts/settings.ts';
import { startEmbeddedPostgres } from '../laptop/embedded-postgres.ts';
import { type Home, HomeInUse, openHome, ownerOf } from '../laptop/home.ts';
import { UserError } from '../laptop/user-error.ts';
import { type Db, openDatabase } from '../store/database.ts';
import { migrateDatabase } from '../store/migrate.ts';
import { orDatabaseAway } from './start-faults.ts';

export interface RecordAccess {
  /** Role to act as in the Postgres of DATABASE_URL; empty for the login user. */
  role: string;
  /** The work reads only, so that the embedded database of a running `hapax up` may be shared. Meanwhile its other clients wait. */
  readsOnly?: boolean;
}

/**
 * Opens the record for work beside the processes: the Postgres of DATABASE_URL, also while Hapax runs, else the embedded
 * one of HAPAX_HOME, brought up to date as `hapax up` does.
 * @throws {UserError} where there is no database, or it is in use or away.
 */
export async function withRecord<T>(
  settings: Settings,
  { role, readsOnly = false }: RecordAccess,
  work: (db: Db) => Promise<T>,
): Promise<T> {
  const { DATABASE_URL: url } = settings;
  if (url !== undefined) return withDatabase(url, role, work).catch(orDatabaseAway(url));
  const directory = resolve(settings.HAPAX_HOME);
  if (!existsSync(join(directory, 'postgres', 'PG_VERSION'))) {
    throw new UserError(`there is no database in ${directory}: set HAPAX_HOME or DATABASE_URL`);
  }
  let home: Home;
  try {
    home = openHome(directory);
  } catch (error) {
    const running = readsOnly && error instanceof HomeInUse ? ownerOf(directory)?.databaseUrl : undefined;
    if (running === undefined) throw error;
    return withDatabase(running, '', work).catch(orDatabaseAway(running));
  }
  try {
    const embedded = await startEmbeddedPostgres({ directory: join(directory, 'postgres') });
    try {
      await migrateDatabase(embedded.url);
      return await withDatabase(embedded.url, '', work);
    } finally {
      await embedded.close();
    }
  } finally {
    home.close();
  }
}

async function withDatabase<T>(url: string, role: string, work: (db: Db) => Promise<T>): Promise<T> {
  const database = openDatabase({ url, connections: 1, role });
  try {
    return await work(database.db);
  } finally {
    await database.close();
  }
}
