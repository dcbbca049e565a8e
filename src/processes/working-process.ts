import { gateOf } from '../api/gate-of.ts';
import { startMetricsServer } from '../api/metrics-server.ts';
import type { Settings } from '../contracts/settings.ts';
import { openDatabase } from '../store/database.ts';
import { toLog } from './github-watch.ts';
import { createMetrics } from './metrics.ts';
import { startParts } from './parts.ts';
import { required } from './required.ts';
import { stopSignal } from './stop-signal.ts';
import { connectPatiently } from './temporal.ts';
import { installTemporalRuntime } from './temporal-runtime.ts';
import { openWatched } from './tracing.ts';

/**
 * Runs `hapax serve worker` or `hapax serve bridge`: a part that works for Temporal. The part starts once Temporal
 * responds, which may be up to START_TIMEOUT later than the process; it never starts if the process is told to stop before.
 * METRICS_PORT serves its metrics meanwhile.
 * @throws {Error} if the part broke.
 */
export async function runWorkingProcess(
  settings: Settings,
  part: 'worker' | 'bridge',
  { watchTasks = false }: { watchTasks?: boolean } = {},
): Promise<void> {
  const stopping = stopSignal();
  const { log, tracing } = await openWatched(settings, part);
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
    { ...settings, address, tracing },
    { stopping, timeoutMs: settings.START_TIMEOUT, log },
  );
  let ended: string | Error | undefined;
  if (connected) {
    const { connection, client } = connected;
    const ground = { connection, client, settings, db, metrics, tracing, log, say: toLog(log), watchTasks };
    const parts = await startParts(ground, [part]);
    works = true;
    log.info({ address }, `${part} is up`);
    ended = await Promise.race([stopping, parts.ended]);
    works = false;
    if (typeof ended === 'string') log.info({ signal: ended }, `${part} is stopping`);
    await parts.close();
    await connected.disconnect();
  }
  await Promise.all([server?.close(), keyRing?.stop(), database.close()]);
  await tracing?.close();
  if (ended instanceof Error) throw ended;
}
