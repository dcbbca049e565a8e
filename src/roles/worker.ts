import { createTaskHandlers } from '../activities/content-tasks.ts';
import { startMetricsServer } from '../api/metrics-server.ts';
import type { Settings } from '../contracts/settings.ts';
import { openDatabase } from '../store/database.ts';
import { createWorkers } from '../worker/workers.ts';
import { callbackSenderOf } from './callbacks.ts';
import { connectContent } from './content.ts';
import { connectGitHub } from './github.ts';
import { createLog, installTemporalRuntime } from './log.ts';
import { createMetrics } from './metrics.ts';
import { required } from './required.ts';
import { stopSignal } from './stop-signal.ts';
import { queuesOf } from './tasks.ts';
import { connectPatiently } from './temporal.ts';

/** `hapax worker`: builds and tasks, from a Temporal that may come later than the worker. */
export async function runWorker(settings: Settings): Promise<void> {
  const stopping = stopSignal();
  const log = createLog(settings.LOG_LEVEL, 'worker');
  installTemporalRuntime(log);
  const target = { ...settings, address: required(settings, 'TEMPORAL_ADDRESS') };
  const database = openDatabase({ url: required(settings, 'DATABASE_URL'), role: settings.DATABASE_ROLE });
  const metrics = createMetrics(database.db);
  const server =
    settings.METRICS_PORT === undefined
      ? undefined
      : await startMetricsServer(settings, settings.METRICS_PORT, metrics);
  if (server) log.info({ url: server.url }, 'metrics are served');
  const connected = await connectPatiently(target, stopping, log);
  if (connected) {
    const content = connectContent(settings);
    const workers = await createWorkers({
      connection: connected.connection,
      namespace: settings.TEMPORAL_NAMESPACE,
      db: database.db,
      github: connectGitHub(settings, metrics, database.db),
      sender: callbackSenderOf(settings),
      handlers: createTaskHandlers({ db: database.db, ...content, meter: metrics }),
      queues: queuesOf(settings),
      meter: metrics,
    });
    void stopping.then((signal) => {
      log.info({ signal }, 'worker is stopping');
      workers.shutdown();
    });
    log.info({ address: target.address }, 'worker is up');
    await workers.run();
    await content.close();
    await connected.connection.close();
  }
  await server?.close();
  await database.close();
}
