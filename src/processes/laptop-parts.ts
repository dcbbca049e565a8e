/** The parts that `hapax up` runs beside its servers. They take a second to load, so `laptop.ts` loads them while the servers start. */
import type { Logger } from 'pino';
import type { Settings } from '../contracts/settings.ts';
import type { Tracing } from '../contracts/tracing/tracing.ts';
import { collectGarbageOfStart } from '../laptop/garbage-of-start.ts';
import { openDatabase, RUNTIME_ROLE } from '../store/database.ts';
import { migrateDatabase } from '../store/migrate.ts';
import { createMetrics } from './metrics.ts';
import { type RunningParts, startParts } from './parts.ts';
import { inStartTime, type StartWait } from './start-wait.ts';
import { connectTemporal } from './temporal.ts';
import { installTemporalRuntime } from './temporal-runtime.ts';

/** Brings the embedded Postgres up to date and gives its session the rights of the processes. */
export const migrateEmbedded = (url: string) => migrateDatabase(url, RUNTIME_ROLE);

export interface LaptopGround {
  settings: Settings;
  /** host:port of Temporal. */
  address: string;
  postgres: { url: string; role: string | undefined };
  log: Logger;
  /** Undefined if nothing is traced. */
  tracing: Tracing | undefined;
  report(line: string): void;
  wait: StartWait;
  watchTasks: boolean;
}

/** Starts the API, the worker and, if AMQP_URL is set, the bridge, on running servers. */
export async function startLaptopParts({
  settings,
  address,
  postgres,
  log,
  tracing,
  report,
  wait,
  watchTasks,
}: LaptopGround) {
  installTemporalRuntime(log);
  const connecting = connectTemporal({ ...settings, address, tracing });
  const { connection, client, ...temporal } = await inStartTime(`Temporal at ${address}`, connecting, wait);
  const database = openDatabase({ url: postgres.url, ...(postgres.role ? { role: postgres.role } : {}) });
  const { db } = database;
  const disconnect = async () => {
    await temporal.disconnect();
    await database.close();
  };
  let parts: RunningParts;
  try {
    parts = await startParts(
      { settings, db, connection, client, metrics: createMetrics(db), tracing, log, say: report, watchTasks },
      settings.AMQP_URL === undefined ? ['api', 'worker'] : ['api', 'worker', 'bridge'],
    );
  } catch (error) {
    await disconnect();
    throw error;
  }
  collectGarbageOfStart();
  return {
    ...parts,
    async close() {
      await parts.close();
      await disconnect();
    },
  };
}
