import postgres, { type Fragment, type ISql, type PendingQuery, type Sql, type TransactionSql } from 'postgres';
import { type DatabaseFault, StoreFault } from './store-fault.ts';

/** Role with the rights a process needs and no more: it cannot change or remove an event. Made by the migrations. */
export const RUNTIME_ROLE = 'hapax_runtime';

/**
 * A database, or a transaction in one: the tag of a query, `` db<Row[]>`SELECT ...` ``, which is prepared once per connection.
 * A query that is not awaited is a part of others.
 */
export type Db = ISql;
export type { DatabaseFault, Fragment, PendingQuery };

export interface Database {
  readonly db: Db;
  /** Waits at most five seconds for running queries, then closes. Call it after everything that uses the store ended. */
  close(): Promise<void>;
}

export interface DatabaseOptions {
  url: string;
  /** Connections of this process. Default 10: a query takes about a millisecond, so more only queue in Postgres. */
  connections?: number;
  /** Longest wait for a connection. Default 5: a query that waits longer is better answered with 503. */
  connectTimeoutSeconds?: number;
  /** Role to act as. Unset: the login user (the embedded Postgres sets the role itself). */
  role?: string;
}

const asIs = (text: string) => text;

/** How values cross, by the numbers of Postgres's types. JSON is sent as text that the caller wrote. */
const TYPES = {
  json: { to: 3802, from: [114, 3802], serialize: asIs, parse: JSON.parse },
  /** Counts, positions and ids, all below 2^53. */
  number: { to: 20, from: [20, 1700], serialize: String, parse: Number },
  day: { to: 1082, from: [1082], serialize: asIs, parse: asIs },
  /** ISO 8601 in UTC with milliseconds, so that what was hashed is what is read. Sent as it is: it may have microseconds. */
  instant: { to: 1184, from: [1184], serialize: asIs, parse: (text: string) => new Date(text).toISOString() },
};

/** Opens a pool. It connects at the first query and reconnects by itself, so a database that is down is no error here. */
export function openDatabase({ url, connections = 10, connectTimeoutSeconds = 5, role }: DatabaseOptions): Database {
  const db = postgres(url, {
    max: connections,
    connect_timeout: connectTimeoutSeconds,
    // Reconnect soon after an outage; the default backs off to 20 s.
    backoff: (attempt) => Math.min(2, 0.1 * 2 ** attempt),
    fetch_types: false,
    types: TYPES,
    onnotice: () => {},
    connection: { application_name: 'hapax', ...(role ? { role } : {}) },
  });
  return { db: db as unknown as Db, close: () => db.end({ timeout: 5 }) };
}

/** Parts of a query one after the other, with the same between them. @param parts at least one. */
export function join(db: Db, parts: readonly Fragment[], between: Fragment): Fragment {
  return parts.reduce((all, part) => db`${all}${between}${part}`);
}

/** The condition that all of these hold; those that are undefined ask for nothing. */
export function allOf(db: Db, conditions: ReadonlyArray<Fragment | undefined>): Fragment {
  return db`${[db`true`, ...conditions.flatMap((condition) => (condition ? db`AND ${condition}` : []))]}`;
}

/** Waits until the database answers, and then for the queries given. @throws with the reason if it does not answer. */
export async function checkDatabase(db: Db, queries: () => Promise<unknown>): Promise<void> {
  try {
    await db`SELECT 1`;
    await queries();
  } catch (error) {
    throw new Error(databaseFault(error)?.message ?? 'the query failed', { cause: error });
  }
}

/** Runs statements in one transaction, or in the one that is open already. Errors of the work are passed on unchanged. */
export async function inTransaction<Result>(db: Db, work: (tx: Db) => Promise<Result>, mode = ''): Promise<Result> {
  const database = db as Sql | TransactionSql;
  return (await ('begin' in database ? database.begin(mode, work) : database.savepoint(work))) as Result;
}

/** Runs queries that change nothing and all see the database as of one moment. */
export function readSnapshot<Result>(db: Db, read: (snapshot: Db) => Promise<Result>): Promise<Result> {
  return inTransaction(db, read, 'ISOLATION LEVEL REPEATABLE READ READ ONLY');
}

/**
 * SQLSTATE classes of a server that is there but cannot serve now: connection, login, no such database, resources, operator
 * intervention.
 */
const AWAY_CLASSES = new Set(['08', '28', '3D', '53', '57']);
const POSTGRES = 'Postgres';
const UNIQUE_VIOLATION = '23505';
/** SQLSTATE classes that speak of values: data exception, integrity constraint, a limit of the server. No retry mends them. */
const VALUE_CLASSES = new Set(['22', '23', '54']);

/** What a failed query means; undefined if the error does not come from a store. */
export function databaseFault(error: unknown): DatabaseFault | undefined {
  if (error instanceof StoreFault) return error;
  if (error instanceof postgres.PostgresError) {
    const { code, message, constraint_name: constraint } = error;
    if (code === UNIQUE_VIOLATION) return { kind: 'conflict', store: POSTGRES, message, constraint };
    return { kind: kindOfClass(code.slice(0, 2)), store: POSTGRES, message };
  }
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  const { code, message } = error;
  // The driver hangs the query on what failed beneath it; what ends a transaction has only the driver's own code.
  const isAway = ('query' in error && 'parameters' in error) || String(code).startsWith('CONNECT');
  return isAway ? { kind: 'away', store: POSTGRES, message: message || String(code) } : undefined;
}

function kindOfClass(sqlStateClass: string): DatabaseFault['kind'] {
  if (AWAY_CLASSES.has(sqlStateClass)) return 'away';
  return VALUE_CLASSES.has(sqlStateClass) ? 'values' : 'fault';
}
