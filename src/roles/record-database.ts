import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Settings } from '../contracts/settings.ts';
import { startEmbeddedPostgres } from '../laptop/embedded-postgres.ts';
import { openHome } from '../laptop/home.ts';
import { UserError } from '../laptop/user-error.ts';
import { type Db, openDatabase } from '../store/database.ts';
import { migrateDatabase } from '../store/migrate.ts';
import { orDatabaseAway } from './start-faults.ts';

/**
 * Opens the record for work beside the processes: the Postgres of DATABASE_URL, also while Hapax runs, else the embedded
 * one of HAPAX_HOME, which nobody else may have open, brought up to date as `hapax up` does.
 * @param role role to act as in the Postgres of DATABASE_URL; empty for the login user.
 * @throws {UserError} where there is no database, or it is in use or away.
 */
export async function withRecord<T>(settings: Settings, role: string, work: (db: Db) => Promise<T>): Promise<T> {
  const { DATABASE_URL: url } = settings;
  if (url !== undefined) return withDatabase(url, role, work).catch(orDatabaseAway(url));
  const directory = resolve(settings.HAPAX_HOME);
  if (!existsSync(join(directory, 'postgres', 'PG_VERSION'))) {
    throw new UserError(`there is no database in ${directory}: set HAPAX_HOME or DATABASE_URL`);
  }
  const home = openHome(directory);
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
