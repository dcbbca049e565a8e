import { rmSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { collectGarbageOfStart } from './garbage-of-start.ts';
import { openDirectory } from './pglite-directory.ts';
import { servePostgres, type Wire } from './postgres-wire.ts';

/** What the main thread passes to this thread. */
export interface WorkerOptions {
  readonly directory: string;
  readonly port: number;
  readonly password: string;
  readonly fsync: boolean;
  readonly idleInTransactionMs: number | undefined;
}

/** What this thread tells the main one. */
export type WorkerMessage =
  | { readonly type: 'closed' }
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'failed'; readonly message: string };

const MEGABYTE = 1024 * 1024;
const MAINTENANCE_INTERVAL_MS = 30_000;
const CHECKPOINT_AFTER_BYTES = 32 * MEGABYTE;
const VACUUM_AFTER_BYTES = 128 * MEGABYTE;

const options = workerData as WorkerOptions;
const tell = (message: WorkerMessage): void => parentPort?.postMessage(message);

async function serve(): Promise<void> {
  // A killed process leaves this file, and its process id may belong to another program now. The caller holds the lock.
  rmSync(`${options.directory}/postmaster.pid`, { force: true });
  const db = await openDirectory(options.directory, options.fsync);
  // Uses the stream variant once, so that responses arrive here: it is asynchronous only for file systems that need
  // syncing. Never mix this with db.query(): its response would arrive here too.
  let answer: Buffer[] = [];
  const onRawData = (data: Uint8Array): number => answer.push(Buffer.from(data)); // copied: Postgres reuses its memory
  await db.execProtocolRawStream(Buffer.alloc(0), { syncToFs: false, onRawData });
  let failed = false;
  const wire = await servePostgres({
    host: '127.0.0.1',
    port: options.port,
    password: options.password,
    ...(options.idleInTransactionMs === undefined ? {} : { idleInTransactionMs: options.idleInTransactionMs }),
    execute: (messages) => {
      answer = [];
      db.execProtocolRawSync(messages);
      return answer.length === 1 ? (answer[0] as Buffer) : Buffer.concat(answer);
    },
    onFatal: (error) => {
      failed = true;
      tell({ type: 'failed', message: error.message });
    },
  });
  const maintenance = setInterval(maintenanceOf(wire), MAINTENANCE_INTERVAL_MS);
  parentPort?.once('message', async () => {
    clearInterval(maintenance);
    await wire.close();
    if (!failed) await db.close();
    tell({ type: 'closed' });
    parentPort?.close();
  });
  tell({ type: 'listening', port: wire.port });
  collectGarbageOfStart();
}

/**
 * Returns a function that maintains the database. Postgres runs here as one process, without the checkpointer and autovacuum.
 * Without maintenance, the write-ahead log grows until the end (and is replayed in whole after a crash), and so do tables.
 */
function maintenanceOf(wire: Wire): () => void {
  let checkpointedAt = 0;
  let vacuumedAt = 0;
  return () =>
    wire.exclusive((query) => {
      const at = Number(query("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")[0]);
      checkpointedAt ||= at;
      vacuumedAt ||= at;
      if (at - checkpointedAt < CHECKPOINT_AFTER_BYTES) return;
      const role = query("SELECT quote_ident(current_setting('role'))")[0] ?? 'none';
      query('RESET ROLE');
      try {
        if (at - vacuumedAt >= VACUUM_AFTER_BYTES) {
          query('VACUUM (ANALYZE)');
          vacuumedAt = at;
        }
        query('CHECKPOINT');
        checkpointedAt = at;
      } finally {
        query(`SET ROLE ${role}`);
      }
    });
}

serve().catch((error: unknown) => {
  tell({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
});
