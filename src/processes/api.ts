import type { Settings } from '../contracts/settings.ts';
import { openDatabase } from '../store/database.ts';
import { toLog } from './github-watch.ts';
import { createLog } from './log.ts';
import { createMetrics } from './metrics.ts';
import { startParts } from './parts.ts';
import { required } from './required.ts';
import { stopSignal } from './stop-signal.ts';
import { lazyTemporalClient } from './temporal.ts';
import { installTemporalRuntime } from './temporal-runtime.ts';

/** `hapax serve api`: the HTTP API alone. It starts, and says how things are, also where Temporal or Postgres is down. */
export async function runApi(settings: Settings): Promise<void> {
  const stopping = stopSignal();
  const log = createLog(settings.LOG_LEVEL, 'api');
  installTemporalRuntime(log);
  const { client } = await lazyTemporalClient({ ...settings, address: required(settings, 'TEMPORAL_ADDRESS') });
  const database = openDatabase({ url: required(settings, 'DATABASE_URL'), role: settings.DATABASE_ROLE });
  const { db } = database;
  const parts = await startParts({ settings, db, client, metrics: createMetrics(db), log, say: toLog(log) }, ['api']);
  log.info({ url: parts.urls?.url }, 'api is up');
  log.info({ signal: await stopping }, 'api is stopping');
  // The Temporal client is not closed: its calls that still retry would fail out of reach, and the process ends anyway.
  await parts.close();
  await database.close();
}
