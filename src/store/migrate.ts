import { readdir, readFile } from 'node:fs/promises';
import { prepareEmbeddings } from './content/embedding-prepare.ts';
import { type Db, inTransaction, openDatabase } from './database.ts';

const MIGRATIONS = new URL('./migrations/', import.meta.url);

/** Any fixed number: one migration at a time per database, however many processes start together. */
const MIGRATION_LOCK = 4_841_058;

/**
 * Brings the schema up to date as the login user; does nothing where it is. Safe to run from several processes at once.
 * @param sessionRole role to take afterwards, for the embedded Postgres, where all connections share one session.
 */
export async function migrateDatabase(url: string, sessionRole?: string): Promise<void> {
  // On a busy machine an embedded Postgres may be slow to answer just after its start.
  const { db, close } = openDatabase({ url, connections: 1, connectTimeoutSeconds: 30 });
  try {
    await db`RESET ROLE`;
    await db`SELECT pg_advisory_lock(${MIGRATION_LOCK})`;
    await migrate(db);
    await prepareEmbeddings(db);
    await db`SELECT pg_advisory_unlock(${MIGRATION_LOCK})`;
    if (sessionRole) await db`SET ROLE ${db(sessionRole)}`;
  } finally {
    await close();
  }
}

/** The migrations that a database still needs. Changes nothing. */
export async function pendingMigrations(db: Db): Promise<string[]> {
  const [found] = await db<
    Array<{ there: string | null }>
  >`SELECT to_regclass('drizzle.__drizzle_migrations') AS there`;
  return migrationsAfter(found?.there ? await lastMigration(db) : 0);
}

async function lastMigration(db: Db): Promise<number> {
  const [row] = await db<Array<{ last: number | null }>>`
    SELECT max(created_at) AS last FROM drizzle.__drizzle_migrations`;
  return row?.last ?? 0;
}

async function migrationsAfter(last: number): Promise<string[]> {
  const files = (await readdir(MIGRATIONS)).filter((name) => name.endsWith('.sql')).sort();
  return files.filter((name) => noteOf(name) > last);
}

/** Runs what is new, all or nothing. Databases of earlier versions noted in this table, too, which migrations had run. */
async function migrate(db: Db): Promise<void> {
  await db`CREATE SCHEMA IF NOT EXISTS drizzle`;
  await db`CREATE TABLE IF NOT EXISTS drizzle.__drizzle_migrations (
    id serial PRIMARY KEY, hash text NOT NULL, created_at bigint)`;
  const pending = await migrationsAfter(await lastMigration(db));
  await inTransaction(db, async (tx) => {
    for (const name of pending) {
      await tx.unsafe(await readFile(new URL(name, MIGRATIONS), 'utf8'));
      await tx`INSERT INTO drizzle.__drizzle_migrations ${tx({ hash: name, created_at: noteOf(name) })}`;
    }
  });
}

/** What is noted of a migration: a number that grows with that of its file. */
function noteOf(name: string): number {
  return 1_795_000_000_000 + (Number.parseInt(name, 10) - 1) * 1_000;
}
