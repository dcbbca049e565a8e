import { DrizzleQueryError, sql } from 'drizzle-orm';
import type { PgTransactionConfig } from 'drizzle-orm/pg-core';
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';

/** Role with the rights a process needs and no more: it cannot change or remove an event. Made by the migrations. */
export const RUNTIME_ROLE = 'hapax_runtime';

export type Db = PostgresJsDatabase;

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

/** Opens a pool. It connects at the first query and reconnects by itself, so a database that is down is no error here. */
export function openDatabase({ url, connections = 10, connectTimeoutSeconds = 5, role }: DatabaseOptions): Database {
  const client = postgres(url, {
    max: connections,
    connect_timeout: connectTimeoutSeconds,
    // Reconnect soon after an outage; the default backs off to 20 s.
    backoff: (attempt) => Math.min(2, 0.1 * 2 ** attempt),
    fetch_types: false,
    onnotice: () => {},
    connection: { application_name: 'hapax', ...(role ? { role } : {}) },
  });
  // Drizzle leaves statements unnamed, which costs a second round trip and planning each time.
  const { unsafe } = client;
  client.unsafe = ((query: string, parameters: never[], options: object) =>
    unsafe(query, parameters, { ...options, prepare: parameters.length > 0 })) as typeof unsafe;
  return { db: drizzle(client), close: () => client.end({ timeout: 5 }) };
}

/** Waits until the database answers, and then for the queries given. @throws with the reason if it does not answer. */
export async function checkDatabase(db: Db, queries: () => Promise<unknown>): Promise<void> {
  try {
    await db.execute(sql`SELECT 1`);
    await queries();
  } catch (error) {
    throw new Error(databaseFault(error)?.message ?? 'the query failed', { cause: error });
  }
}

/**
 * Runs statements in one transaction. Errors of the work are passed on unchanged. Drizzle does not wrap a failure of the
 * connection itself as it does failed queries; here it is wrapped too, so that {@link databaseFault} knows it.
 */
export async function inTransaction<Result>(
  db: Db,
  work: (tx: Db) => Promise<Result>,
  config?: PgTransactionConfig,
): Promise<Result> {
  let thrown: unknown;
  const watched = async (tx: Db) => {
    try {
      return await work(tx);
    } catch (error) {
      thrown = error;
      throw error;
    }
  };
  try {
    return await db.transaction(watched, config);
  } catch (error) {
    if (error === thrown || !(error instanceof Error)) throw error;
    throw new DrizzleQueryError('transaction', [], error);
  }
}

/** Runs queries that change nothing and all see the database as of one moment. */
export function readSnapshot<Result>(db: Db, read: (snapshot: Db) => Promise<Result>): Promise<Result> {
  return inTransaction(db, read, { isolationLevel: 'repeatable read', accessMode: 'read only' });
}

/**
 * What a failed query means: the database is away, a unique value is taken, its values can never be stored, or the statement is
 * at fault, which the next release or migration mends.
 */
export interface DatabaseFault {
  kind: 'away' | 'conflict' | 'values' | 'fault';
  /** The database's own words, without the statement and its values. */
  message: string;
}

/**
 * SQLSTATE classes of a server that is there but cannot serve now: connection, login, no such database, resources, operator
 * intervention.
 */
const AWAY_CLASSES = new Set(['08', '28', '3D', '53', '57']);
const UNIQUE_VIOLATION = '23505';
/** SQLSTATE classes that speak of values: data exception, integrity constraint, a limit of the server. No retry mends them. */
const VALUE_CLASSES = new Set(['22', '23', '54']);

/** What a failed query means; undefined if the error does not come from the database. */
export function databaseFault(error: unknown): DatabaseFault | undefined {
  if (!(error instanceof DrizzleQueryError)) return undefined;
  const { code = '', message = 'the query failed' } = (error.cause ?? {}) as { code?: string; message?: string };
  if (code === UNIQUE_VIOLATION) return { kind: 'conflict', message };
  const isSqlState = /^[0-9A-Z]{5}$/.test(code);
  return { kind: isSqlState ? kindOfClass(code.slice(0, 2)) : 'away', message: message || code };
}

function kindOfClass(sqlStateClass: string): DatabaseFault['kind'] {
  if (AWAY_CLASSES.has(sqlStateClass)) return 'away';
  return VALUE_CLASSES.has(sqlStateClass) ? 'values' : 'fault';
}
