import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { prepareEmbeddings } from './content/embedding-prepare.ts';
import { type Db, inTransaction, withDatabase } from './database.ts';

const MIGRATIONS = new URL('./migrations/', import.meta.url);
/** The separator between the statements of a file. */
const BREAK = '--> statement-breakpoint';

/** Any fixed number. It lets one migration run at a time per database, however many processes start together. */
const MIGRATION_LOCK = 4_841_058;
const LOOK_EVERY_MS = 200;
/** How long a process waits for the migration of another one: an index on a large table takes minutes. */
const TURN_MS = 3_600_000;

/**
 * How long a migration waits for a lock. Later statements on the same table queue behind it, so this is the longest that a migration
 * can delay a process that serves. It is less than half of Postgres' `deadlock_timeout`: if a migration and a process wait for each
 * other, the migration gives way before Postgres ends either of them.
 */
const LOCK_TIMEOUT_MS = 400;
/** How many times a migration tries. Between attempts it pauses, so that other statements can run. */
const LOCK_ATTEMPTS = 60;
const PAUSE_MS = 1_000;
/** SQLSTATEs: lock not available, deadlock detected. */
const IN_THE_WAY = new Set(['55P03', '40P01']);

/**
 * Brings the schema up to date as the login user; does nothing if it is current. Safe to run from several processes at
 * once, and while processes of the previous version serve.
 * @param sessionRole role to take afterwards, for the embedded Postgres, where all connections share one session.
 * @param folder of the migrations. Default: those of this version.
 * @param turnMs how long to wait for another process that migrates.
 * @throws {NoLock} if another process migrates for longer, or a migration got no lock in {@link LOCK_ATTEMPTS} attempts. Earlier
 * migrations stay applied; the failed one has changed nothing.
 */
export async function migrateDatabase(
  url: string,
  sessionRole?: string,
  folder: URL = MIGRATIONS,
  turnMs: number = TURN_MS,
): Promise<void> {
  // On a busy machine, an embedded Postgres may respond slowly just after its start.
  await withDatabase({ url, connectTimeoutSeconds: 30 }, async (db) => {
    await db`RESET ROLE`;
    await takeTurn(db, turnMs);
    await migrate(db, folder);
    await unhurried(db, 'the table of embeddings', prepareEmbeddings);
    await db`SELECT pg_advisory_unlock(${MIGRATION_LOCK})`;
    if (sessionRole) await db`SET ROLE ${db(sessionRole)}`;
  });
}

/** Waits for the lock by polling. A blocking wait would be an older statement, and CREATE INDEX CONCURRENTLY waits for those. */
async function takeTurn(db: Db, turnMs: number): Promise<void> {
  for (const until = Date.now() + turnMs; ; ) {
    const [row] = await db<Array<{ mine: boolean }>>`SELECT pg_try_advisory_lock(${MIGRATION_LOCK}) AS mine`;
    if (row?.mine) return;
    if (Date.now() >= until) {
      const pooler = 'or, if a connection pooler holds it, connect to Postgres itself';
      throw new NoLock(`another process holds the lock of migrations; run it again when that has ended, ${pooler}`);
    }
    await delay(LOOK_EVERY_MS);
  }
}

/** Lists the migrations that a database still needs. Changes nothing. */
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

/** Runs the new migrations, each in a transaction. Databases of earlier versions recorded their migrations in this table, too. */
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

/**
 * Says whether a migration builds an index concurrently. If so, it runs without a transaction, statement by statement, and
 * runs again if it was interrupted.
 */
export function buildsConcurrently(text: string): boolean {
  return /\bCONCURRENTLY\b/i.test(text.replaceAll(/--.*$/gm, ''));
}

/**
 * Another process held the lock of migrations, or other statements the tables, the whole time. No migration is half done, and another
 * attempt may succeed.
 */
export class NoLock extends Error {
  override readonly name = 'NoLock';
}

/**
 * Does work in a transaction that gives way: it waits only briefly for a lock, so it does not block others for long, and tries again.
 * For each vacuum it waits once for longer: Postgres ends an automatic one that others wait for, but only after `deadlock_timeout`.
 */
async function unhurried(db: Db, what: string, work: (tx: Db) => Promise<unknown>): Promise<void> {
  const outwaited = new Set<number>();
  let timeoutMs = LOCK_TIMEOUT_MS;
  for (let attempt = 1; ; attempt++) {
    try {
      return await inTransaction(db, async (tx) => {
        await tx.unsafe(`SET LOCAL lock_timeout = ${timeoutMs}`);
        await work(tx);
      });
    } catch (error) {
      if (!IN_THE_WAY.has((error as { code?: string }).code ?? '')) throw error;
      const vacuums = await listVacuums(db);
      if (attempt === LOCK_ATTEMPTS) {
        const all = ['no long query', ...vacuums.map(({ pid, table }) => `no vacuum of ${table} (process ${pid})`)];
        const detail = `run it again when ${all.join(' and ')} runs`;
        throw new NoLock(`${what} got no lock in ${attempt} attempts; ${detail}`, { cause: error });
      }
      const fresh = vacuums.find(({ pid }) => !outwaited.has(pid));
      timeoutMs = LOCK_TIMEOUT_MS + (fresh?.deadlock_timeout_ms ?? 0);
      for (const { pid } of vacuums) outwaited.add(pid);
      await delay(PAUSE_MS);
    }
  }
}

interface Vacuum {
  pid: number;
  table: string;
  deadlock_timeout_ms: number;
}

/** Lists vacuums by their locks, which every login may see. The processes take no lock of this mode. */
function listVacuums(db: Db): Promise<Vacuum[]> {
  return db<Vacuum[]>`
    SELECT DISTINCT pid, relname AS table,
      (SELECT setting::integer FROM pg_settings WHERE name = 'deadlock_timeout') AS deadlock_timeout_ms
    FROM pg_locks JOIN pg_class ON pg_class.oid = relation
    WHERE granted AND mode = 'ShareUpdateExclusiveLock' AND relkind = 'r' AND pid <> pg_backend_pid()
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
}

/** Returns the number that the table of migrations has for a file. It grows with the number of the file. */
function noteOf(name: string): number {
  return 1_795_000_000_000 + (Number.parseInt(name, 10) - 1) * 1_000;
}
