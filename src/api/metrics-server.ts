import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import type { Gate } from '../commands/keys/gate.ts';
import { Refusal } from '../commands/refusal.ts';
import type { Settings } from '../contracts/settings.ts';
import type { ApiEnvironment } from './environment.ts';
import { identify } from './guard.ts';
import { type Listening, listen } from './listen.ts';
import type { ApiMeter } from './meter.ts';
import { PROBLEM_JSON, problemOf } from './problem.ts';
import { METRICS_TYPE } from './routes/metrics.ts';

/**
 * Serves `/metrics`, `/health/live` and `/health/ready` of a process without an API, on HOST and a port.
 * @param process.isReady whether it takes work now.
 */
export function startMetricsServer(
  { HOST, TRUSTED_HOSTS }: Pick<Settings, 'HOST' | 'TRUSTED_HOSTS'>,
  port: number,
  { meter, gate, isReady }: { meter: Pick<ApiMeter, 'scrape'>; gate: Gate; isReady(): boolean },
): Promise<Listening> {
  const app = new Hono<ApiEnvironment>();
  app.use(identify(gate, TRUSTED_HOSTS));
  app.get('/health/live', (c) => c.json({ status: 'ok' }));
  app.get('/health/ready', (c) =>
    isReady() ? c.json({ status: 'ok' }) : c.json({ status: 'unavailable', detail: 'it takes no work now' }, 503),
  );
  app.get('/metrics', async (c) => {
    c.var.principal.require('read');
    c.var.principal.requireWhole('GET /metrics');
    return c.text(await meter.scrape(), 200, { 'Content-Type': METRICS_TYPE });
  });
  app.notFound(() => {
    throw new Refusal('not_found', { detail: 'a worker serves /metrics, /health/live and /health/ready only' });
  });
  app.onError((thrown, c) => {
    const error = thrown instanceof Refusal ? thrown : new Refusal('internal', { cause: thrown });
    const document = problemOf(error, randomUUID());
    return c.body(JSON.stringify(document), document.status as 500, { 'Content-Type': PROBLEM_JSON });
  });
  return listen(app.fetch, HOST, port);
}
