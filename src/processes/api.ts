import type { Settings } from '../contracts/settings.ts';
import { openDatabase } from '../store/database.ts';
import { toLog } from './github-watch.ts';
import { createMetrics } from './metrics.ts';
import { startParts } from './parts.ts';
import { required } from './required.ts';
import { stopSignal } from './stop-signal.ts';
import { lazyTemporalClient } from './temporal.ts';
import { installTemporalRuntime } from './temporal-runtime.ts';
import { openWatched } from './tracing.ts';

/** Runs `hapax serve api`: the HTTP API alone. It starts, and reports its health, even while Temporal or Postgres is down. */
export async function runApi(settings: Settings): Promise<void> {
  const stopping = stopSignal();
  const { log, tracing } = await openWatched(settings, 'api');
  installTemporalRuntime(log);
  const address = required(settings, 'TEMPORAL_ADDRESS');
  const { client } = await lazyTemporalClient({ ...settings, address, tracing }, log);
  const database = openDatabase({ url: required(settings, 'DATABASE_URL'), role: settings.DATABASE_ROLE });
  const { db } = database;
  const ground = { settings, db, client, metrics: createMetrics(db), tracing, log, say: toLog(log) };
  const parts = await startParts(ground, ['api']);
  log.info({ url: parts.urls?.url }, 'api is up');
  log.info({ signal: await stopping }, 'api is stopping');
  // The Temporal client is not closed: calls that still retry would fail where nobody catches them, and the process ends anyway.
  await parts.close();
  await database.close();
  await tracing?.close();
}
