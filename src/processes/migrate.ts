import type { Settings } from '../contracts/settings.ts';
import { migrateServer } from './migrate-server.ts';
import { required } from './required.ts';
import { registerSearchAttributes } from './search-attributes.ts';
import { orTemporalAway, temporalAt } from './start-faults.ts';
import { inStartTime } from './start-wait.ts';
import { lazyTemporalClient } from './temporal.ts';

/** Runs `hapax migrate`: brings the schema of the database and the search attributes of Temporal up to date. */
export async function runMigrate(settings: Settings): Promise<void> {
  const url = required(settings, 'DATABASE_URL');
  const wait = { timeoutMs: settings.START_TIMEOUT, say: (line: string) => console.error(`hapax: ${line}`) };
  await migrateServer(url, wait);
  console.log('the database is up to date');
  const { TEMPORAL_ADDRESS: address } = settings;
  if (address === undefined) return;
  const { connection, disconnect } = await lazyTemporalClient({ ...settings, address });
  const registering = registerSearchAttributes(connection, settings.TEMPORAL_NAMESPACE);
  await inStartTime(temporalAt(address), registering, wait).catch(orTemporalAway(address));
  await disconnect();
  console.log('the search attributes of Temporal are registered');
}
