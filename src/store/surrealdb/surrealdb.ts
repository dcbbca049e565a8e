import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Surreal } from 'surrealdb';
import { StoreFault } from '../store-fault.ts';
import { SCHEMA } from './schema.ts';

/** A SurrealDB, and the place of the content in it. */
export interface SurrealOptions {
  namespace: string;
  database: string;
  /** A directory that only this process uses, or a server. */
  at: { directory: string } | { url: string; user: string; password: string; level: 'root' | 'namespace' | 'database' };
  /** How long to wait for one response of a server; default 10 s. */
  timeoutMs?: number;
  /** The same for a write of a whole content; default 2 min. */
  writeTimeoutMs?: number;
}

/** The type of the package. It is loaded only if SurrealDB is configured. */
type Library = typeof import('surrealdb');
type Engines = Pick<typeof import('@surrealdb/node'), 'createNodeEngines'>;

const NAME = 'SurrealDB';
const TIMEOUT_MS = 10_000;
/** A server indexes a long text for longer than it answers anything else. */
const WRITE_TIMEOUT_MS = 120_000;
/** If two transactions touch the same keys, one fails and asks for a retry. With several, this happens to each in turn. */
const MOST_ATTEMPTS = 12;
const OLDEST_MAJOR = 3;
/** How long to wait for the lock of a directory, which is released shortly after the database is closed. */
const LOCKED_MS = 2_000;

/** Thrown if a package for SurrealDB is not installed. */
export class PackageMissing extends Error {
  override readonly name = 'PackageMissing';
}

/** A SurrealDB. It is opened at the first query, and reopened at the next query after an outage. */
export class SurrealDatabase {
  readonly #options: SurrealOptions;
  readonly #library: Library;
  readonly #engines: Engines | undefined;
  /** Set during a write of a whole content. The SDK does not say which query a request is for. */
  readonly #writing = new AsyncLocalStorage<boolean>();
  #opening: Promise<Surreal> | undefined;

  private constructor(options: SurrealOptions, library: Library, engines: Engines | undefined) {
    this.#options = options;
    this.#library = library;
    this.#engines = engines;
  }

  /** Loads the packages, and opens nothing. @throws {PackageMissing} with what to install. */
  static async load(options: SurrealOptions): Promise<SurrealDatabase> {
    try {
      const library = await import('surrealdb');
      const engines = 'directory' in options.at ? await import('@surrealdb/node') : undefined;
      return new SurrealDatabase(options, library, engines);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
      const names = 'directory' in options.at ? 'surrealdb@2.0.8 @surrealdb/node@3.0.3' : 'surrealdb@2.0.8';
      throw new PackageMissing(`SurrealDB needs packages that are not installed: npm install ${names}`);
    }
  }

  /**
   * Writes a whole content: as {@link query}, with more time.
   * @throws {StoreFault} also if that was too short. The text is at fault then: the server may answer everything else.
   */
  write<Results extends unknown[]>(statements: string, values: Record<string, unknown>): Promise<Results> {
    return this.#writing.run(true, () => this.query<Results>(statements, values));
  }

  /**
   * Runs statements, each of which must be safe to repeat. Values are bound, never written into the text.
   * @returns the result of each statement.
   * @throws {StoreFault} if the database is away or refuses.
   */
  async query<Results extends unknown[]>(statements: string, values: Record<string, unknown> = {}): Promise<Results> {
    for (let attempt = 1; ; attempt++) {
      const opening = this.#open();
      let db: Surreal | undefined;
      try {
        db = await opening;
        return (await db.query(statements, values)) as Results;
      } catch (error) {
        if (/conflict|can be retried/i.test(messageOf(error)) && attempt < MOST_ATTEMPTS) {
          await delay(Math.random() * 5 * 2 ** Math.min(attempt, 7));
        } else if (db && attempt === 1 && isLoggedOut(error)) {
          // Another query may have opened it anew.
          if (this.#opening === opening) await this.close();
        } else {
          throw db && this.#writing.getStore() && isTimeout(error) ? tooSlow(error) : faultOf(error);
        }
      }
    }
  }

  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    await (await opening?.catch(() => undefined))?.close();
  }

  #open(): Promise<Surreal> {
    // Others wait for it too, so it has no more time than a check.
    this.#opening ??= this.#writing
      .exit(() => this.#connect())
      .catch((error: unknown) => {
        this.#opening = undefined;
        throw error;
      });
    return this.#opening;
  }

  async #connect(): Promise<Surreal> {
    const { at, namespace, database } = this.#options;
    if ('directory' in at) return this.#openDirectory(at.directory);
    const { timeoutMs = TIMEOUT_MS, writeTimeoutMs = WRITE_TIMEOUT_MS } = this.#options;
    const db = new this.#library.Surreal({
      fetchImpl: (input, init) => {
        const limitMs = this.#writing.getStore() ? writeTimeoutMs : timeoutMs;
        return fetch(input, { ...init, signal: AbortSignal.timeout(limitMs) });
      },
    });
    const { user: username, password, level } = at;
    const levels = { root: {}, namespace: { namespace }, database: { namespace, database } };
    try {
      await db.connect(at.url, { versionCheck: false });
      await db.signin({ username, password, ...levels[level] });
      if (level === 'root') await db.query(`DEFINE NAMESPACE IF NOT EXISTS ${namespace}`);
      await db.use({ namespace });
      if (level !== 'database') await db.query(`DEFINE DATABASE IF NOT EXISTS ${database}`);
      await db.use({ namespace, database });
      return await prepared(db);
    } catch (error) {
      await db.close();
      throw error;
    }
  }

  async #openDirectory(directory: string): Promise<Surreal> {
    const { namespace, database } = this.#options;
    const { surrealkv } = this.#engines!.createNodeEngines();
    // Each write is on disk before it is acknowledged: the record then calls it done.
    const address = `surrealkv://${directory}?sync=every`;
    for (const until = Date.now() + LOCKED_MS; ; ) {
      const failed = Promise.withResolvers<never>();
      failed.promise.catch(() => {});
      const db = new this.#library.Surreal({
        engines: {
          surrealkv: (context) => {
            const engine = surrealkv!(context);
            // The SDK does not pass this error on, and waits for ever.
            engine.subscribe('error', failed.reject);
            const open = engine.open.bind(engine);
            // A URL would write spaces in a path as %20, and the engine would take that for the name.
            engine.open = (state) => open({ ...state, url: Object.assign(state.url, { toString: () => address }) });
            return engine;
          },
        },
      });
      try {
        await Promise.race([db.connect(address, { namespace, database, reconnect: false }), failed.promise]);
        return await prepared(db);
      } catch (error) {
        await db.close().catch(() => {});
        if (!/already locked/.test(messageOf(error))) throw error;
        if (Date.now() > until) throw new StoreFault(NAME, 'away', `another process uses ${directory}`, error);
        await delay(50);
      }
    }
  }
}

async function prepared(db: Surreal): Promise<Surreal> {
  const { version } = await db.version();
  const major = Number(/(\d+)\./.exec(version)?.[1]);
  if (major < OLDEST_MAJOR) throw new StoreFault(NAME, 'away', `${version} is too old: 3.0 or newer is needed`);
  await db.query(SCHEMA);
  return db;
}

/** Returns the message of an error and of its causes. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${messageOf(error.cause)}` : error.message;
}

/** Says whether the login has expired: a token lasts an hour, and the SDK sends no expired one. */
function isLoggedOut(error: unknown): boolean {
  const { name, status } = error as { name?: string; status?: number };
  return name === 'NotAllowedError' || status === 401 || status === 403;
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && (error.name === 'TimeoutError' || isTimeout(error.cause));
}

function tooSlow(error: unknown): StoreFault {
  return new StoreFault(NAME, 'fault', 'the server did not save the content in time', error);
}

/** Errors of the server that the query did not cause: the login or the connection failed, or the server is not ready. */
const NOT_OF_QUERIES = new Set(['NotAllowed', 'Connection', 'Configuration']);

function faultOf(error: unknown): StoreFault {
  if (error instanceof StoreFault) return error;
  const { kind, status } = error as { kind?: string; status?: number };
  if (status === 413) {
    const message = 'the content is larger than the server takes; raise SURREAL_HTTP_MAX_RPC_BODY_SIZE there';
    return new StoreFault(NAME, 'values', message, error);
  }
  const isOfQuery = kind !== undefined && !NOT_OF_QUERIES.has(kind);
  const message = messageOf(error).split('\n', 1)[0]!.slice(0, 300);
  return new StoreFault(NAME, isOfQuery ? 'fault' : 'away', message, error);
}
