/**
 * What `hapax up` runs beside its servers. It takes a second to load, so `laptop.ts` loads it while the servers start.
 */
import type { Logger } from 'pino';
import type { Settings } from '../contracts/settings.ts';
import { collectGarbageOfStart } from '../laptop/garbage-of-start.ts';
import { openDatabase, RUNTIME_ROLE } from '../store/database.ts';
import { migrateDatabase } from '../store/migrate.ts';
import { createMetrics } from './metrics.ts';
import { type RunningParts, startParts } from './parts.ts';
import { registerSearchAttributes } from './search-attributes.ts';
import { databaseAt, orDatabaseAway, orTemporalAway, temporalAt } from './start-faults.ts';
import { inStartTime, type StartWait } from './start-wait.ts';
import { connectTemporal, lazyTemporalClient, type TemporalTarget } from './temporal.ts';
import { installTemporalRuntime } from './temporal-runtime.ts';

/** Registers our search attributes at a server that is not ours. @throws {UserError} where it is away. */
export async function prepareTemporal(target: TemporalTarget, wait: StartWait): Promise<void> {
  const { address, TEMPORAL_NAMESPACE: namespace } = target;
  const { connection } = await lazyTemporalClient(target);
  const registering = registerSearchAttributes(connection, namespace);
  await inStartTime(temporalAt(address), registering, wait).catch(orTemporalAway(address));
  await connection.close();
}

/** Brings the Postgres of DATABASE_URL up to date. @throws {UserError} where it is away. */
export async function migrateServer(url: string, wait: StartWait): Promise<void> {
  await inStartTime(databaseAt(url), migrateDatabase(url), wait).catch(orDatabaseAway(url));
}

/** Brings the embedded Postgres up to date and gives its session the rights of the processes. */
export const migrateEmbedded = (url: string) => migrateDatabase(url, RUNTIME_ROLE);

export interface LaptopGround {
  settings: Settings;
  /** host:port of Temporal. */
  address: string;
  postgres: { url: string; role: string | undefined };
  log: Logger;
  report(line: string): void;
  wait: StartWait;
}

/** Starts API, worker and, where AMQP_URL is set, bridge on servers that run. */
export async function startLaptopParts({ settings, address, postgres, log, report, wait }: LaptopGround) {
  installTemporalRuntime(log);
  const connecting = connectTemporal({ ...settings, address });
  const { connection, client } = await inStartTime(`Temporal at ${address}`, connecting, wait);
  const database = openDatabase({ url: postgres.url, ...(postgres.role ? { role: postgres.role } : {}) });
  const { db } = database;
  const disconnect = async () => {
    await connection.close();
    await database.close();
  };
  let parts: RunningParts;
  try {
    parts = await startParts(
      { settings, db, connection, client, metrics: createMetrics(db), log, say: report },
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
