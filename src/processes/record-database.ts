import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Settings } from '../contracts/settings.ts';
import { startEmbeddedPostgres } from '../laptop/embedded-postgres.ts';
import { type Home, HomeInUse, openHome } from '../laptop/home.ts';
import { ownerOf } from '../laptop/home-owner.ts';
import { UserError } from '../laptop/user-error.ts';
import { type Db, withDatabase } from '../store/database.ts';
import { migrateDatabase } from '../store/migrate.ts';
import { orDatabaseAway } from './start-faults.ts';

export interface RecordAccess {
  /** The role to act as in the Postgres of DATABASE_URL; empty for the login user. */
  role: string;
  /**
   * Whether the work needs no more rights than the processes have, so that it may share the embedded database of a running
   * `hapax up`. While it holds a transaction, the other clients wait.
   */
  shared?: boolean;
}

/**
 * Opens the record for work beside the processes: the Postgres of DATABASE_URL, even while Hapax runs, else the embedded
 * one of HAPAX_HOME, brought up to date as `hapax up` does.
 * @throws {UserError} if there is no database, or it is in use or away.
 */
export async function withRecord<T>(
  settings: Settings,
  { role, shared = false }: RecordAccess,
  work: (db: Db) => Promise<T>,
): Promise<T> {
  const { DATABASE_URL: url } = settings;
  if (url !== undefined) return withDatabase({ url, role }, work).catch(orDatabaseAway(url));
  const directory = resolve(settings.HAPAX_HOME);
  if (!existsSync(join(directory, 'postgres', 'PG_VERSION'))) {
    throw new UserError(`there is no database in ${directory}: set HAPAX_HOME or DATABASE_URL`);
  }
  let home: Home;
  try {
    home = openHome(directory);
  } catch (error) {
    const running = shared && error instanceof HomeInUse ? ownerOf(directory)?.databaseUrl : undefined;
    if (running === undefined) throw error;
    return withDatabase({ url: running }, work).catch(orDatabaseAway(running));
  }
  return withEmbedded(home, work);
}

/**
 * Opens the record as its owner while no process uses it, and brings it up to date. Creates a missing embedded one.
 * @throws {UserError} if a process uses it, or it is away.
 */
export async function withOwnRecord<T>(settings: Settings, work: (db: Db) => Promise<T>): Promise<T> {
  const { DATABASE_URL: url } = settings;
  if (url === undefined) return withEmbedded(openHome(resolve(settings.HAPAX_HOME)), work);
  await migrateDatabase(url).catch(orDatabaseAway(url));
  return withDatabase({ url }, work).catch(orDatabaseAway(url));
}

async function withEmbedded<T>(home: Home, work: (db: Db) => Promise<T>): Promise<T> {
  try {
    const embedded = await startEmbeddedPostgres({ directory: join(home.directory, 'postgres') });
    try {
      await migrateDatabase(embedded.url);
      return await withDatabase({ url: embedded.url }, work);
    } finally {
      await embedded.close();
    }
  } finally {
    home.close();
  }
}
