import type { Client } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type { Logger } from 'pino';
import { startMetricsServer } from '../api/metrics-server.ts';
import type { Settings } from '../contracts/settings.ts';
import { type Db, openDatabase } from '../store/database.ts';
import { createLog, installTemporalRuntime } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { required } from './required.ts';
import { stopSignal } from './stop-signal.ts';
import { connectPatiently } from './temporal.ts';

/** What the work of a process has to do with. */
export interface Workplace {
  connection: NativeConnection;
  client: Client;
  /** host:port of Temporal. */
  address: string;
  db: Db;
  metrics: Metrics;
  log: Logger;
  /** Resolves with the signal that tells the process to stop. */
  stopping: ReturnType<typeof stopSignal>;
}

/**
 * Runs what works for Temporal in a process of its own, from when Temporal answers, which may be up to START_TIMEOUT later than
 * the process; never where the process is told to stop before. Its metrics are served on METRICS_PORT meanwhile. The connections are
 * closed once the work has returned.
 */
export async function runWorkingProcess(
  settings: Settings,
  role: string,
  work: (workplace: Workplace) => Promise<void>,
): Promise<void> {
  const stopping = stopSignal();
  const log = createLog(settings.LOG_LEVEL, role);
  installTemporalRuntime(log);
  const address = required(settings, 'TEMPORAL_ADDRESS');
  const database = openDatabase({ url: required(settings, 'DATABASE_URL'), role: settings.DATABASE_ROLE });
  const metrics = createMetrics(database.db);
  const server =
    settings.METRICS_PORT === undefined
      ? undefined
      : await startMetricsServer(settings, settings.METRICS_PORT, metrics);
  if (server) log.info({ url: server.url }, 'metrics are served');
  const connected = await connectPatiently(
    { ...settings, address },
    { stopping, timeoutMs: settings.START_TIMEOUT, log },
  );
  if (connected) {
    await work({ ...connected, address, db: database.db, metrics, log, stopping });
    await connected.connection.close();
  }
  await server?.close();
  await database.close();
}
