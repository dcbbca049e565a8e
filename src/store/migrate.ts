import { readdir, readFile } from 'node:fs/promises';
import { prepareEmbeddings } from './content/embedding-prepare.ts';
import { type Db, inTransaction, openDatabase } from './database.ts';

const MIGRATIONS = new URL('./migrations/', import.meta.url);
/** Between the statements of a file. */
const BREAK = '--> statement-breakpoint';

/** Any fixed number: one migration at a time per database, however many processes start together. */
const MIGRATION_LOCK = 4_841_058;
const LOOK_EVERY_MS = 200;

/**
 * How long a migration waits for a lock. All that come later for the same table wait behind it, so this is the longest that a migration
 * holds up a process that serves.
 */
const LOCK_TIMEOUT_MS = 2_000;
/** How often it tries, with pauses that let others go first. */
const LOCK_ATTEMPTS = 30;
const PAUSE_MS = 1_000;
const LOCK_NOT_AVAILABLE = '55P03';

/**
 * Brings the schema up to date as the login user; does nothing where it is. Safe to run from several processes at once, and while processes
 * of the version before serve.
 * @param sessionRole role to take afterwards, for the embedded Postgres, where all connections share one session.
 * @param folder of the migrations. Default: those of this version.
 * @throws {NoLock} if a migration got no lock in {@link LOCK_ATTEMPTS} attempts. Where one fails, those before it are done, and it has
 *   changed nothing.
 */
export async function migrateDatabase(url: string, sessionRole?: string, folder: URL = MIGRATIONS): Promise<void> {
  // On a busy machine an embedded Postgres may be slow to answer just after its start.
  const { db, close } = openDatabase({ url, connections: 1, connectTimeoutSeconds: 30 });
  try {
    await db`RESET ROLE`;
    await takeTurn(db);
    await migrate(db, folder);
    await unhurried(db, 'the table of embeddings', prepareEmbeddings);
    await db`SELECT pg_advisory_unlock(${MIGRATION_LOCK})`;
    if (sessionRole) await db`SET ROLE ${db(sessionRole)}`;
  } finally {
    await close();
  }
}

const delay = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Waits by asking: an index is built CONCURRENTLY only once no older statement runs, such as one that waits for this turn. */
async function takeTurn(db: Db): Promise<void> {
  for (;;) {
    const [row] = await db<Array<{ mine: boolean }>>`SELECT pg_try_advisory_lock(${MIGRATION_LOCK}) AS mine`;
    if (row?.mine) return;
    await delay(LOOK_EVERY_MS);
  }
}

/** The migrations that a database still needs. Changes nothing. */
export async function pendingMigrations(db: Db): Promise<string[]> {
  const [found] = await db<
    Array<{ there: string | null }>
  >`SELECT to_regclass('drizzle.__drizzle_migrations') AS there`;
  return migrationsAfter(found?.there ? await lastMigration(db) : 0, MIGRATIONS);
}

async function lastMigration(db: Db): Promise<number> {
  const [row] = await db<Array<{ last: number | null }>>`
    SELECT max(created_at) AS last FROM drizzle.__drizzle_migrations`;
  return row?.last ?? 0;
}

async function migrationsAfter(last: number, folder: URL): Promise<string[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  return files.filter((name) => noteOf(name) > last);
}

/** Runs what is new, each in a transaction. Databases of earlier versions noted in this table, too, which migrations had run. */
async function migrate(db: Db, folder: URL): Promise<void> {
  await db`CREATE SCHEMA IF NOT EXISTS drizzle`;
  await db`CREATE TABLE IF NOT EXISTS drizzle.__drizzle_migrations (
    id serial PRIMARY KEY, hash text NOT NULL, created_at bigint)`;
  for (const name of await migrationsAfter(await lastMigration(db), folder)) {
    const text = await readFile(new URL(name, folder), 'utf8');
    const note = (tx: Db) =>
      tx`INSERT INTO drizzle.__drizzle_migrations ${tx({ hash: name, created_at: noteOf(name) })}`;
    if (buildsConcurrently(text)) {
      for (const statement of text.split(BREAK)) await db.unsafe(statement);
      await note(db);
    } else {
      await unhurried(db, `the migration ${name}`, async (tx) => {
        await tx.unsafe(text);
        await note(tx);
      });
    }
  }
}

/** Such a migration runs without a transaction, statement by statement; what was cut off runs again. */
export function buildsConcurrently(text: string): boolean {
  return /\bCONCURRENTLY\b/i.test(text.replaceAll(/--.*$/gm, ''));
}

/** Others used the tables all the time. Nothing is half done, and another run may have more luck. */
export class NoLock extends Error {
  override readonly name = 'NoLock';
}

/** Does work in a transaction that gives way: it takes no lock for which it would hold up others for long, and tries again. */
async function unhurried(db: Db, what: string, work: (tx: Db) => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await inTransaction(db, async (tx) => {
        await tx.unsafe(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
        await work(tx);
      });
    } catch (error) {
      if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE) throw error;
      if (attempt === LOCK_ATTEMPTS) {
        throw new NoLock(`${what} got no lock in ${attempt} attempts; run it again when no long query runs`, {
          cause: error,
        });
      }
      await delay(PAUSE_MS);
    }
  }
}

/** What is noted of a migration: a number that grows with that of its file. */
function noteOf(name: string): number {
  return 1_795_000_000_000 + (Number.parseInt(name, 10) - 1) * 1_000;
}
