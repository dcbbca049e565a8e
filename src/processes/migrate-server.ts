import { withDatabase } from '../store/database.ts';
import { migrateDatabase } from '../store/migrate.ts';
import { registerSearchAttributes } from './search-attributes.ts';
import { databaseAt, orDatabaseAway, orTemporalAway, temporalAt } from './start-faults.ts';
import { inStartTime, type StartWait, telling } from './start-wait.ts';
import { lazyTemporalClient, type TemporalTarget } from './temporal.ts';

/**
 * Brings the Postgres of DATABASE_URL up to date. START_TIMEOUT limits only the wait for an answer: then a migration may wait for another
 * one, or build an index on a large table, and ending it would only make the next one begin again.
 * @throws {UserError} if it is away, or too busy to be migrated.
 */
export async function migrateServer(url: string, wait: StartWait): Promise<void> {
  const at = databaseAt(url);
  // Longer than usual: a busy server may respond slowly just after its start.
  const reaching = withDatabase({ url, connectTimeoutSeconds: 30 }, (db) => db`SELECT 1`);
  await inStartTime(at, reaching, wait).catch(orDatabaseAway(url));
  const line = (seconds: number) => `migrating ${at}, or waiting for another migration, for ${seconds} s`;
  await telling(line, migrateDatabase(url), wait).catch(orDatabaseAway(url));
}

/** Registers our search attributes at a server that we did not start. @throws {UserError} if it is away. */
export async function prepareTemporal(target: TemporalTarget, wait: StartWait): Promise<void> {
  const { address, TEMPORAL_NAMESPACE: namespace } = target;
  const { connection, disconnect } = await lazyTemporalClient(target);
  const registering = registerSearchAttributes(connection, namespace);
  await inStartTime(temporalAt(address), registering, wait).catch(orTemporalAway(address));
  await disconnect();
}
