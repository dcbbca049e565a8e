import { setTimeout as delay } from 'node:timers/promises';
import type { Surreal } from 'surrealdb';
import { StoreFault } from '../store-fault.ts';
import { SCHEMA } from './schema.ts';

/** A SurrealDB and where in it content is. */
export interface SurrealOptions {
  namespace: string;
  database: string;
  /** A directory that this process alone uses, or a server. */
  at: { directory: string } | { url: string; user: string; password: string; level: 'root' | 'namespace' | 'database' };
}

/** The packages, as they are loaded: nobody has them who does not ask for SurrealDB. */
type Library = typeof import('surrealdb');
type Engines = Pick<typeof import('@surrealdb/node'), 'createNodeEngines'>;

const NAME = 'SurrealDB';
/** Longest wait for one response of a server. */
const TIMEOUT_MS = 10_000;
/** Two transactions that touch the same keys fail with a request to try again; each of several does, in turn. */
const MOST_ATTEMPTS = 12;
const OLDEST_MAJOR = 3;
/** The lock of a directory is released a moment after the database is closed. */
const LOCKED_MS = 2_000;

/** Thrown where a package for SurrealDB is not installed. */
export class PackageMissing extends Error {
  override readonly name = 'PackageMissing';
}

/** A SurrealDB that is opened at the first query, and again at the next one after it was away. */
export class SurrealDatabase {
  readonly #options: SurrealOptions;
  readonly #library: Library;
  readonly #engines: Engines | undefined;
  #opening: Promise<Surreal> | undefined;

  private constructor(options: SurrealOptions, library: Library, engines: Engines | undefined) {
    this.#options = options;
    this.#library = library;
    this.#engines = engines;
  }

  /** Loads what it takes, and opens nothing. @throws {PackageMissing} with what to install. */
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
   * Runs statements, each of which may be repeated. Values are bound, never written.
   * @returns what each statement gave.
   * @throws {StoreFault} where the database is away or refuses.
   */
  async query<Results extends unknown[]>(statements: string, values: Record<string, unknown> = {}): Promise<Results> {
    for (let attempt = 1; ; attempt++) {
      let db: Surreal | undefined;
      try {
        db = await this.#open();
        return (await db.query(statements, values)) as Results;
      } catch (error) {
        if (/conflict|can be retried/i.test(messageOf(error)) && attempt < MOST_ATTEMPTS) {
          await delay(Math.random() * 5 * 2 ** Math.min(attempt, 7));
        } else if (db && attempt === 1 && isLoggedOut(error)) {
          await this.close();
        } else {
          throw faultOf(error);
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
    this.#opening ??= this.#connect().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #connect(): Promise<Surreal> {
    const { at, namespace, database } = this.#options;
    if ('directory' in at) return this.#openDirectory(at.directory);
    const db = new this.#library.Surreal({
      fetchImpl: (input, init) => fetch(input, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) }),
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
    // Each write is on disk when it is answered: the record calls it done then.
    const address = `surrealkv://${directory}?sync=every`;
    for (const until = Date.now() + LOCKED_MS; ; ) {
      const failed = Promise.withResolvers<never>();
      failed.promise.catch(() => {});
      const db = new this.#library.Surreal({
        engines: {
          surrealkv: (context) => {
            const engine = surrealkv!(context);
            // The SDK keeps this to itself and waits for ever.
            engine.subscribe('error', failed.reject);
            const open = engine.open.bind(engine);
            // A URL would write the spaces of a path as %20, and the engine takes that for the name.
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

/** What the error says, with what caused it. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${messageOf(error.cause)}` : error.message;
}

/** Whether the login no longer counts: a token lasts an hour, and the SDK sends none when it has expired. */
function isLoggedOut(error: unknown): boolean {
  const { name, status } = error as { name?: string; status?: number };
  return name === 'NotAllowedError' || status === 401 || status === 403;
}

/** Errors of the server that are none of the query: the login, the connection, or that it is not ready. */
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
