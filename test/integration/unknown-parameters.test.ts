import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openWorld, type World } from '../world/world.ts';

interface Operation {
  parameters?: Array<{ name: string; in: string }>;
}

describe('query parameters that a route does not have', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld('server');
  });
  afterAll(() => world.close());

  it('are refused by every route, with the names that it has', async () => {
    const { json } = await world.call('GET', '/openapi.json');
    const paths = Object.entries(json.paths as Record<string, Record<string, Operation>>);
    const operations = paths.flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
    );
    expect(operations.length).toBeGreaterThan(35);
    for (const { path, method, operation } of operations) {
      const known = (operation.parameters ?? []).filter((one) => one.in === 'query').map(({ name }) => name);
      const target = path.replaceAll(/\{\w+\}/g, '1');
      const answer = await world.call(method, `${target}?statsu=failure`, method === 'GET' ? undefined : {});
      const message = `does not exist; this route has ${known.length === 0 ? 'no query parameters' : known.join(', ')}`;
      expect([answer.status, answer.json.code, answer.json.errors], `${method} ${path}`).toEqual([
        400,
        'invalid_request',
        [{ path: 'query.statsu', message }],
      ]);
    }
  });

  it('are refused by the pages of the description too, and for HEAD', async () => {
    for (const path of ['/docs', '/docs/start.js', '/openapi.json']) {
      expect((await world.call('GET', `${path}?x=1`)).status, path).toBe(400);
    }
    expect((await fetch(`${world.url}/builds?x=1`, { method: 'HEAD' })).status).toBe(400);
    expect((await fetch(`${world.url}/builds?limit=1`, { method: 'HEAD' })).status).toBe(200);
  });

  it("mean nothing to Flower's routes, as in Flower, and nothing where there is no route", async () => {
    expect((await world.call('GET', '/api/tasks?statsu=FAILURE')).status).toBe(200);
    expect((await world.call('GET', '/nowhere?statsu=failure')).status).toBe(404);
    expect((await world.call('DELETE', '/builds?statsu=failure')).status).toBe(405);
  });
});
