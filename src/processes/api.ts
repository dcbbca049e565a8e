import { startApiServer } from '../api/server.ts';
import type { Settings } from '../contracts/settings.ts';
import { openDatabase } from '../store/database.ts';
import { refusalOfHost } from './callbacks.ts';
import { connectContent } from './content.ts';
import { sweepDeliveries } from './delivery-sweep.ts';
import { connectGitHub, repositoryOf, webhooksOf } from './github.ts';
import { toLog, watchGitHub } from './github-watch.ts';
import { createLog, installTemporalRuntime } from './log.ts';
import { createMetrics } from './metrics.ts';
import { required } from './required.ts';
import { stopSignal } from './stop-signal.ts';
import { lazyTemporalClient } from './temporal.ts';

/** `hapax api`: the HTTP API alone. It starts, and says how things are, also where Temporal or Postgres is down. */
export async function runApi(settings: Settings): Promise<void> {
  const stopping = stopSignal();
  const log = createLog(settings.LOG_LEVEL, 'api');
  installTemporalRuntime(log);
  const { client } = await lazyTemporalClient({
    ...settings,
    address: required(settings, 'TEMPORAL_ADDRESS'),
  });
  const database = openDatabase({ url: required(settings, 'DATABASE_URL'), role: settings.DATABASE_ROLE });
  const metrics = createMetrics(database.db);
  const github = connectGitHub(settings, metrics, database.db);
  const sweep = sweepDeliveries(settings, { db: database.db, github, log, onSwept: metrics.deliveriesSwept });
  const watch = watchGitHub({ settings, github, say: toLog(log) });
  const content = connectContent(settings);
  const server = await startApiServer({
    settings,
    repository: repositoryOf(settings),
    client,
    workerBeside: false,
    db: database.db,
    checkGitHub: watch.check,
    webhooks: webhooksOf(settings),
    refusalOfHost: refusalOfHost(settings),
    embedQuery: content.embedQuery,
    meter: metrics,
    log,
  });
  log.info({ url: server.url }, 'api is up');
  log.info({ signal: await stopping }, 'api is stopping');
  // The Temporal client is not closed: its calls that still retry would fail out of reach, and the process ends anyway.
  await sweep?.stop();
  await watch.stop();
  await server.close();
  await content.close();
  await database.close();
}
