import type { Settings } from '../contracts/settings.ts';
import { migrateServer, prepareTemporal } from './migrate-server.ts';
import { required } from './required.ts';

/** Runs `hapax migrate`: brings the schema of the database and the search attributes of Temporal up to date. */
export async function runMigrate(settings: Settings): Promise<void> {
  const url = required(settings, 'DATABASE_URL');
  const wait = { timeoutMs: settings.START_TIMEOUT, say: (line: string) => console.error(`hapax: ${line}`) };
  await migrateServer(url, wait);
  console.log('the database is up to date');
  const { TEMPORAL_ADDRESS: address } = settings;
  if (address === undefined) return;
  await prepareTemporal({ ...settings, address }, wait);
  console.log('the search attributes of Temporal are registered');
}
