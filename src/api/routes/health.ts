import { createRoute } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { BuildIds } from '../../commands/builds/build-ids.ts';
import type { Gate } from '../../commands/keys/gate.ts';
import { type Health, health, probe } from '../../contracts/health.ts';
import type { Api, ApiEnvironment } from '../environment.ts';
import { addressOf, bearerOf } from '../guard.ts';
import type { HealthMonitor } from '../health-monitor.ts';
import { jsonResponse, openProblems } from '../responses.ts';

const tags = ['health'];

const healthRoute = createRoute({
  method: 'get',
  path: '/health',
  operationId: 'getHealth',
  tags,
  summary: 'Health of the process and its dependencies',
  description:
    'The status is 200 even if a dependency is degraded. Dependencies are checked in the background, not by this request. Only callers with the right `read` for everything get `detail`.',
  responses: { 200: jsonResponse('Health of each dependency', health), ...openProblems('forbidden_host') },
});

const liveRoute = createRoute({
  method: 'get',
  path: '/health/live',
  operationId: 'getLiveness',
  tags,
  summary: 'Whether the process runs',
  responses: { 200: jsonResponse('It runs', probe), ...openProblems('forbidden_host') },
});

const readyRoute = createRoute({
  method: 'get',
  path: '/health/ready',
  operationId: 'getReadiness',
  tags,
  summary: 'Whether triggers can be accepted',
  responses: {
    200: jsonResponse('They can', probe),
    ...openProblems('forbidden_host'),
    503: jsonResponse('They cannot, and why', probe),
  },
});

export interface HealthDependencies {
  monitor: HealthMonitor;
  gate: Gate;
  buildIds: Pick<BuildIds, 'held' | 'provided'>;
}

export function getHealth(api: Api, { monitor, gate, buildIds }: HealthDependencies): void {
  api.openapi(healthRoute, async (c) => c.json(await healthFor(c), 200));
  api.openapi(liveRoute, (c) => c.json({ status: 'ok' } as const, 200));
  api.openapi(readyRoute, async (c) => {
    const { temporal, postgres } = (await healthFor(c)).dependencies;
    const faults = [
      temporal.status === 'ok' ? [] : [`temporal: ${temporal.detail ?? temporal.status}`],
      postgres.status === 'ok' || buildIds.held > 0 ? [] : [`postgres: ${postgres.detail ?? postgres.status}`],
      buildIds.provided ? [] : ['no ids of builds are reserved yet'],
    ].flat();
    if (faults.length === 0) return c.json({ status: 'ok' } as const, 200);
    return c.json({ status: 'unavailable', detail: faults.join('; ') } as const, 503);
  });

  /** Returns the health as a caller may see it: why something fails can name repositories, hosts and logins. */
  async function healthFor(c: Context<ApiEnvironment>): Promise<Health> {
    return (await mayReadAll(c)) ? monitor.health : withoutDetails(monitor.health);
  }

  /** Nobody needs a key here, so a wrong one is no fault. */
  async function mayReadAll(c: Context<ApiEnvironment>): Promise<boolean> {
    const key = bearerOf(c);
    const principal = c.var.principal ?? (key && (await gate.identify(key, addressOf(c)).catch(() => undefined)));
    return principal ? principal.has('read') && !principal.isRestricted : false;
  }
}

function withoutDetails(health: Health): Health {
  const dependencies = Object.entries(health.dependencies).map(([name, it]) => [name, { ...it, detail: undefined }]);
  return { ...health, dependencies: Object.fromEntries(dependencies) };
}
