import postgres, { type Fragment, type ISql, type PendingQuery, type Sql, type TransactionSql } from 'postgres';
import { type DatabaseFault, StoreFault } from './store-fault.ts';

/** The role that processes act as. It has only the rights they need: it cannot change or remove an event. Migrations create it. */
export const RUNTIME_ROLE = 'hapax_runtime';

/**
 * A database, or a transaction in one: the tag of a query, `` db<Row[]>`SELECT ...` ``, which is prepared once per
 * connection. A query that is not awaited becomes a fragment of another.
 */
export type Db = ISql;
export type { DatabaseFault, Fragment, PendingQuery };

export interface Database {
  readonly db: Db;
  /** Waits at most five seconds for running queries, then closes. Call it after everything that uses the store has ended. */
  close(): Promise<void>;
}

export interface DatabaseOptions {
  url: string;
  /** Connections of this process. Default 10: a query takes about a millisecond, so more only queue in Postgres. */
  connections?: number;
  /** How long to wait for a connection. Default 5: the API had better answer 503 than let a request wait longer. */
  connectTimeoutSeconds?: number;
  /** The role to act as. Unset: the login user (the embedded Postgres sets the role itself). */
  role?: string;
}

const asIs = (text: string) => text;

/** How values are converted, by the numbers of Postgres's types. JSON is sent as the text that the caller wrote. */
const TYPES = {
  json: { to: 3802, from: [114, 3802], serialize: asIs, parse: JSON.parse },
  /** Counts, positions and ids, all below 2^53. */
  number: { to: 20, from: [20, 1700], serialize: String, parse: Number },
  day: { to: 1082, from: [1082], serialize: asIs, parse: asIs },
  /** ISO 8601 in UTC with milliseconds, so that the value read equals the value hashed. Sent unchanged: it may have microseconds. */
  instant: { to: 1184, from: [1184], serialize: asIs, parse: instantOf },
};

/** How Postgres writes times to us, whatever the login or the server has set: `1890-01-01 00:00:00+00`. */
const TIMES = { TimeZone: 'UTC', DateStyle: 'ISO' };

/** In the form that JavaScript's standard defines. What else `Date` reads, it guesses: it takes the year 1 for 2001. */
function instantOf(text: string): string {
  return new Date(text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00')).toISOString();
}

/** Opens a pool. It connects at the first query and reconnects by itself, so opening it succeeds even if the database is down. */
export function openDatabase(options: DatabaseOptions): Database {
  return open(options, {});
}

function open(
  { url, connections = 10, connectTimeoutSeconds = 5, role }: DatabaseOptions,
  more: { max_lifetime?: null },
): Database {
  const db = postgres(url, {
    ...more,
    max: connections,
    connect_timeout: connectTimeoutSeconds,
    // After a failover, an address may lead to a standby for a while. A connection to it would last as long as the standby does.
    ...(url.includes('target_session_attrs=') ? {} : { target_session_attrs: 'primary' }),
    // Reconnect soon after an outage; the default backs off to 20 s.
    backoff: (attempt) => Math.min(2, 0.1 * 2 ** attempt),
    fetch_types: false,
    types: TYPES,
    onnotice: () => {},
    connection: { application_name: 'hapax', ...TIMES, ...(role ? { role } : {}) },
  });
  return { db: db as unknown as Db, close: () => db.end({ timeout: 5 }) };
}

/** Does work on one connection, and closes it. The driver does not replace it meanwhile: an advisory lock would be lost with it. */
export async function withDatabase<T>(options: DatabaseOptions, work: (db: Db) => Promise<T>): Promise<T> {
  const { db, close } = open({ connections: 1, ...options }, { max_lifetime: null });
  try {
    return await work(db);
  } finally {
    await close();
  }
}

/** Joins fragments of a query with the same fragment between them. @param parts at least one. */
export function join(db: Db, parts: readonly Fragment[], between: Fragment): Fragment {
  return parts.reduce((all, part) => db`${all}${between}${part}`);
}

/** Returns the condition that all of these hold. Ignores those that are undefined. */
export function allOf(db: Db, conditions: ReadonlyArray<Fragment | undefined>): Fragment {
  return db`${[db`true`, ...conditions.flatMap((condition) => (condition ? db`AND ${condition}` : []))]}`;
}

/** Waits until the database can take writes, then runs the given queries. @throws with the reason if it cannot. */
export async function checkDatabase(db: Db, queries: () => Promise<unknown>): Promise<void> {
  try {
    const [state] = await db<[{ read_only: string }]>`SELECT current_setting('transaction_read_only') AS read_only`;
    if (state.read_only === 'on') throw new StoreFault(POSTGRES, 'away', 'it is read-only');
    await queries();
  } catch (error) {
    throw new Error(databaseFault(error)?.message ?? 'the query failed', { cause: error });
  }
}

/** Runs statements in one transaction, or in the one that is already open. Passes on errors of `work` unchanged. */
export async function inTransaction<Result>(db: Db, work: (tx: Db) => Promise<Result>, mode = ''): Promise<Result> {
  const database = db as Sql | TransactionSql;
  return (await ('begin' in database ? database.begin(mode, work) : database.savepoint(work))) as Result;
}

/** Runs read-only queries that all see the database as of one moment. */
export function readSnapshot<Result>(db: Db, read: (snapshot: Db) => Promise<Result>): Promise<Result> {
  return inTransaction(db, read, 'ISOLATION LEVEL REPEATABLE READ READ ONLY');
}

/**
 * SQLSTATE classes of a server that exists but cannot serve now: connection, login, no such database, a transaction that gave way to
 * another one, resources, operator intervention.
 */
const AWAY_CLASSES = new Set(['08', '28', '3D', '40', '53', '57']);
/** The same of other classes: a server that is read-only, and one that ended a session whose transaction waited too long for us. */
const AWAY_STATES = new Set(['25006', '25P03']);
const POSTGRES = 'Postgres';
const UNIQUE_VIOLATION = '23505';
/** SQLSTATE classes about values: data exception, integrity constraint, a limit of the server. No retry helps. */
const VALUE_CLASSES = new Set(['22', '23', '54']);

/** Says what a failed query means; returns undefined if the error does not come from a store. */
export function databaseFault(error: unknown): DatabaseFault | undefined {
  if (error instanceof StoreFault) return error;
  if (error instanceof postgres.PostgresError) {
    const { code, message, constraint_name: constraint } = error;
    if (code === UNIQUE_VIOLATION) return { kind: 'conflict', store: POSTGRES, message, constraint };
    return { kind: kindOfState(code), store: POSTGRES, message };
  }
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  const { code, message } = error;
  // The driver adds the query to errors of the connection. Errors that end a transaction have only the driver's own code.
  const isAway = ('query' in error && 'parameters' in error) || String(code).startsWith('CONNECT');
  return isAway ? { kind: 'away', store: POSTGRES, message: message || String(code) } : undefined;
}

function kindOfState(sqlState: string): DatabaseFault['kind'] {
  const sqlStateClass = sqlState.slice(0, 2);
  if (AWAY_STATES.has(sqlState) || AWAY_CLASSES.has(sqlStateClass)) return 'away';
  return VALUE_CLASSES.has(sqlStateClass) ? 'values' : 'fault';
}
