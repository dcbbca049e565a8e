import { gateOf } from '../api/gate-of.ts';
import { startMetricsServer } from '../api/metrics-server.ts';
import type { Settings } from '../contracts/settings.ts';
import { openDatabase } from '../store/database.ts';
import { toLog } from './github-watch.ts';
import { createLog } from './log.ts';
import { createMetrics } from './metrics.ts';
import { startParts } from './parts.ts';
import { required } from './required.ts';
import { stopSignal } from './stop-signal.ts';
import { connectPatiently } from './temporal.ts';
import { installTemporalRuntime } from './temporal-runtime.ts';

/**
 * `hapax serve worker` and `hapax serve bridge`: a part that works for Temporal, from when Temporal answers, which may be up to START_TIMEOUT
 * later than the process; never where the process is told to stop before. Its metrics are served on METRICS_PORT meanwhile.
 * @throws {Error} where the part broke.
 */
export async function runWorkingProcess(
  settings: Settings,
  part: 'worker' | 'bridge',
  { watchTasks = false }: { watchTasks?: boolean } = {},
): Promise<void> {
  const stopping = stopSignal();
  const log = createLog(settings.LOG_LEVEL, part);
  installTemporalRuntime(log);
  const address = required(settings, 'TEMPORAL_ADDRESS');
  const database = openDatabase({ url: required(settings, 'DATABASE_URL'), role: settings.DATABASE_ROLE });
  const { db } = database;
  const metrics = createMetrics(db);
  const gate = gateOf(settings, { db, log });
  let works = false;
  const server =
    settings.METRICS_PORT === undefined
      ? undefined
      : await startMetricsServer(settings, settings.METRICS_PORT, { meter: metrics, gate, isReady: () => works });
  const keyRing = server && gate.ring.start();
  if (server) log.info({ url: server.url }, 'metrics are served');
  const connected = await connectPatiently(
    { ...settings, address },
    { stopping, timeoutMs: settings.START_TIMEOUT, log },
  );
  let ended: string | Error | undefined;
  if (connected) {
    const parts = await startParts({ ...connected, settings, db, metrics, log, say: toLog(log), watchTasks }, [part]);
    works = true;
    log.info({ address }, `${part} is up`);
    ended = await Promise.race([stopping, parts.ended]);
    works = false;
    if (typeof ended === 'string') log.info({ signal: ended }, `${part} is stopping`);
    await parts.close();
    await connected.connection.close();
  }
  await Promise.all([server?.close(), keyRing?.stop()]);
  await database.close();
  if (ended instanceof Error) throw ended;
}
