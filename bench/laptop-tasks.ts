import { join } from 'node:path';
import pino from 'pino';
import { readSettings } from '../src/contracts/settings.ts';
import { openPostgres, openTemporal } from '../src/processes/laptop-servers.ts';
import { createMetrics } from '../src/processes/metrics.ts';
import { startParts } from '../src/processes/parts.ts';
import { connectTemporal } from '../src/processes/temporal.ts';
import { installTemporalRuntime } from '../src/processes/temporal-runtime.ts';
import { openDatabase } from '../src/store/database.ts';
import { serve } from './helper.ts';

/** What `hapax up` runs, in this process, with a handler of `process_content` that does nothing. */
export interface LaptopTasks {
  directory: string;
  settings: Record<string, string>;
}

serve<LaptopTasks>(async ({ directory, settings: given }) => {
  const settings = readSettings(given);
  const log = pino({ level: settings.LOG_LEVEL }, pino.destination({ dest: join(directory, 'log'), mkdir: true }));
  const say = () => {};
  const wait = { timeoutMs: settings.START_TIMEOUT, say };
  const { address } = await openTemporal(settings, directory, wait);
  const { url, role } = await openPostgres(settings, directory, wait);
  installTemporalRuntime(log);
  const { connection, client } = await connectTemporal({ ...settings, address });
  const { db } = openDatabase({ url, ...(role ? { role } : {}) });
  const handlers = { process_content: async () => ({ embed: 'completed' }) };
  const ground = { settings, db, connection, client, metrics: createMetrics(db), log, say, handlers };
  const { urls } = await startParts(ground, ['api', 'worker']);
  return { url: urls!.url, address };
});
