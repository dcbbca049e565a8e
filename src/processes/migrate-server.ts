import { openDatabase } from '../store/database.ts';
import { migrateDatabase } from '../store/migrate.ts';
import { databaseAt, orDatabaseAway } from './start-faults.ts';
import { inStartTime, type StartWait, telling } from './start-wait.ts';

/**
 * Brings the Postgres of DATABASE_URL up to date. START_TIMEOUT limits only the wait for an answer: then a migration may wait for another
 * one, or build an index on a large table, and ending it would only make the next one begin again.
 * @throws {UserError} if it is away, or too busy to be migrated.
 */
export async function migrateServer(url: string, wait: StartWait): Promise<void> {
  const at = databaseAt(url);
  await inStartTime(at, reach(url), wait).catch(orDatabaseAway(url));
  const line = (seconds: number) => `migrating ${at}, or waiting for another migration, for ${seconds} s`;
  await telling(line, migrateDatabase(url), wait).catch(orDatabaseAway(url));
}

async function reach(url: string): Promise<void> {
  // Longer than usual: a busy server may respond slowly just after its start.
  const { db, close } = openDatabase({ url, connections: 1, connectTimeoutSeconds: 30 });
  await db`SELECT 1`.finally(close);
}
