import { createRoute } from '@hono/zod-openapi';
import type { BuildIds } from '../../commands/builds/build-ids.ts';
import { health, probe } from '../../contracts/health.ts';
import type { Api } from '../environment.ts';
import type { HealthMonitor } from '../health-monitor.ts';
import { openProblemResponses } from '../responses.ts';

const tags = ['health'];

const healthRoute = createRoute({
  method: 'get',
  path: '/health',
  operationId: 'getHealth',
  tags,
  summary: 'Health of the process and its dependencies',
  description:
    'The status is 200 even if a dependency is degraded. Dependencies are checked in the background, not by this request.',
  responses: {
    200: { description: 'Health of each dependency', content: { 'application/json': { schema: health } } },
    ...openProblemResponses('forbidden_host'),
  },
});

const liveRoute = createRoute({
  method: 'get',
  path: '/health/live',
  operationId: 'getLiveness',
  tags,
  summary: 'Whether the process runs',
  responses: {
    200: { description: 'It runs', content: { 'application/json': { schema: probe } } },
    ...openProblemResponses('forbidden_host'),
  },
});

const readyRoute = createRoute({
  method: 'get',
  path: '/health/ready',
  operationId: 'getReadiness',
  tags,
  summary: 'Whether triggers can be accepted',
  responses: {
    200: { description: 'They can', content: { 'application/json': { schema: probe } } },
    ...openProblemResponses('forbidden_host'),
    503: { description: 'They cannot, and why', content: { 'application/json': { schema: probe } } },
  },
});

export interface ReadinessDependencies {
  monitor: HealthMonitor;
  buildIds: Pick<BuildIds, 'held' | 'provided'>;
}

export function getHealth(api: Api, { monitor, buildIds }: ReadinessDependencies): void {
  api.openapi(healthRoute, (c) => c.json(monitor.health, 200));
  api.openapi(liveRoute, (c) => c.json({ status: 'ok' } as const, 200));
  api.openapi(readyRoute, (c) => {
    const { temporal, postgres } = monitor.health.dependencies;
    const faults = [
      temporal.status === 'ok' ? [] : [`temporal: ${temporal.detail ?? temporal.status}`],
      postgres.status === 'ok' || buildIds.held > 0 ? [] : [`postgres: ${postgres.detail ?? postgres.status}`],
      buildIds.provided ? [] : ['no ids of builds are reserved yet'],
    ].flat();
    if (faults.length === 0) return c.json({ status: 'ok' } as const, 200);
    return c.json({ status: 'unavailable', detail: faults.join('; ') } as const, 503);
  });
}
