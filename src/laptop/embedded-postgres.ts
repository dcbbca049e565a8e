import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { cp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import packageJson from '../../package.json' with { type: 'json' };
import { madeOnceDirectory } from './cache-directory.ts';
import type { WorkerMessage, WorkerOptions } from './embedded-postgres-worker.ts';

const CREATE = new URL('./pglite-directory.ts', import.meta.url);
const WORKER = new URL('./embedded-postgres-worker.ts', import.meta.url);

/** Options of {@link startEmbeddedPostgres}. */
export interface EmbeddedPostgresOptions {
  /** Holds only the database. Its parent is created if missing. No other process may use it: see `openHome`. */
  readonly directory: string;
  /** Port on 127.0.0.1; 0, the default, takes any free one. */
  readonly port?: number;
  /** Whether a commit survives a loss of power (default), or only the end of the process. Off saves an fsync per commit. */
  readonly fsync?: boolean;
  /** How long a client may leave a transaction idle while all others wait. Default 30 s. */
  readonly idleInTransactionMs?: number;
}

/** A running database. */
export interface EmbeddedPostgres {
  /** URL for postgres.js and libpq. It contains a password that changes at every start, so it is a secret. Loopback only. */
  readonly url: string;
  readonly port: number;
  /** Resolves (never rejects) if the database breaks; nothing works after that. Start it again, or stop. */
  readonly failed: Promise<Error>;
  /** Rolls back open transactions, checkpoints, and frees everything. May be called again. */
  close(): Promise<void>;
}

const version = packageJson.dependencies['@electric-sql/pglite'];
/** A new, empty database of this version: made once (three seconds), then copied (0.1 s). */
const TEMPLATE = join(madeOnceDirectory(process.env), `postgres-${version}`);

async function createFromTemplate(directory: string): Promise<void> {
  if (!existsSync(TEMPLATE)) await promisify(execFile)(process.execPath, [fileURLToPath(CREATE), TEMPLATE]);
  // Copied under another name and then renamed, so the directory is complete or absent.
  const unfinished = `${directory}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await cp(TEMPLATE, unfinished, { recursive: true });
  await rename(unfinished, directory);
}

/**
 * Starts Postgres inside this process, in its own thread, so that a query never blocks the event loop here.
 *
 * There is one session, shared by all connections in turn (see {@link servePostgres}). So
 * - `SET ROLE`, sent by any connection, holds for all until the database is closed or another sends `RESET ROLE`;
 * - inside a transaction, do not wait for a query of another connection: it would wait for this transaction;
 * - `COPY FROM STDIN`, query cancellation and startup parameters (`connection: {...}` of postgres.js) do nothing;
 * - `LISTEN` and `NOTIFY` work.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  if (!existsSync(join(options.directory, 'PG_VERSION'))) {
    mkdirSync(dirname(options.directory), { recursive: true, mode: 0o700 });
    await createFromTemplate(options.directory);
  }
  // Changes at every start. If a program once took our port and received a password, that is useless now.
  const password = randomBytes(32).toString('hex');
  const { worker, expect, failed } = spawn({
    directory: options.directory,
    port: options.port ?? 0,
    password,
    fsync: options.fsync ?? true,
    idleInTransactionMs: options.idleInTransactionMs,
  });
  const { port } = await expect('listening').catch(async (error: unknown) => {
    await worker.terminate();
    throw error;
  });

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const closed = Promise.race([expect('closed'), failed]);
    worker.postMessage('close');
    await closed;
    await worker.terminate();
  };
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    port,
    failed: new Promise((resolve) => {
      void failed.then((error) => closing ?? resolve(error)); // after close(), the end of the thread is no failure
    }),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

interface Thread {
  readonly worker: Worker;
  readonly failed: Promise<Error>;
  /** Returns the next message of this type; rejects if the thread fails first. */
  expect<T extends WorkerMessage['type']>(type: T): Promise<Extract<WorkerMessage, { type: T }>>;
}

function spawn(workerData: WorkerOptions): Thread {
  const worker = new Worker(WORKER, { workerData, execArgv: [] });
  const failed = new Promise<Error>((resolve) => {
    worker.once('error', resolve);
    worker.once('exit', (code) => resolve(new Error(`the embedded database ended (code ${code})`)));
    worker.on('message', (message: WorkerMessage) => {
      if (message.type === 'failed') resolve(new Error(`the embedded database failed: ${message.message}`));
    });
  });
  return {
    worker,
    failed,
    expect: (type) =>
      new Promise((resolve, reject) => {
        worker.on('message', (message: WorkerMessage) => {
          if (message.type === type) resolve(message as Extract<WorkerMessage, { type: typeof type }>);
        });
        void failed.then(reject);
      }),
  };
}
