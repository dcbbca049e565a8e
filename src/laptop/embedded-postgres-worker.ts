import { rmSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { collectGarbageOfStart } from './garbage-of-start.ts';
import { openDirectory } from './pglite-directory.ts';
import { servePostgres, type Wire } from './postgres-wire.ts';

/** What the main thread asks for. */
export interface WorkerOptions {
  readonly directory: string;
  readonly port: number;
  readonly password: string;
  readonly fsync: boolean;
  readonly idleInTransactionMs: number | undefined;
}

/** What the main thread hears. */
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
  // One left by a killed process names a process id that may belong to anyone now. The caller holds the lock.
  rmSync(`${options.directory}/postmaster.pid`, { force: true });
  const db = await openDirectory(options.directory, options.fsync);
  // The stream variant once, to have answers sent here: it is asynchronous only for file systems that need syncing.
  // Never mix with db.query(): its answer would come here, too.
  let answer: Buffer[] = [];
  const onRawData = (data: Uint8Array): number => answer.push(Buffer.from(data)); // copied: Postgres uses its memory again
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
 * Postgres runs here as one process, without the checkpointer and autovacuum: unless asked, the write-ahead log grows
 * until the end (and is replayed in whole after a crash), and so do tables.
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
