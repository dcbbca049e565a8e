import { createRoute, z } from '@hono/zod-openapi';
import type { Api } from '../environment.ts';
import type { ApiMeter } from '../meter.ts';
import { problems } from '../responses.ts';
import { needs } from '../rights.ts';

/** Prometheus' text format, which every collector reads. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const route = createRoute({
  method: 'get',
  path: '/metrics',
  operationId: 'getMetrics',
  ...needs('read'),
  tags: ['health'],
  summary: 'Metrics for Prometheus',
  description: 'If Postgres is down, the metrics that come from it are missing, and `hapax_postgres_up` is 0.',
  responses: {
    200: { description: "Prometheus' text format", content: { 'text/plain': { schema: z.string() } } },
    ...problems(),
  },
});

export function getMetrics(api: Api, meter: ApiMeter): void {
  api.openapi(route, async (c) => c.text(await meter.scrape(), 200, { 'Content-Type': METRICS_TYPE }));
}
