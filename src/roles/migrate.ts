import type { Settings } from '../contracts/settings.ts';
import { migrateDatabase } from '../store/migrate.ts';
import { required } from './required.ts';
import { registerSearchAttributes } from './search-attributes.ts';
import { lazyTemporalClient } from './temporal.ts';

/** `hapax migrate`: brings the schema of the database and the search attributes of Temporal up to date. */
export async function runMigrate(settings: Settings): Promise<void> {
  await migrateDatabase(required(settings, 'DATABASE_URL'));
  console.log('the database is up to date');
  if (settings.TEMPORAL_ADDRESS === undefined) return;
  const { connection } = await lazyTemporalClient({ ...settings, address: settings.TEMPORAL_ADDRESS });
  await registerSearchAttributes(connection, settings.TEMPORAL_NAMESPACE);
  await connection.close();
  console.log('the search attributes of Temporal are registered');
}
