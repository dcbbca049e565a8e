import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { expect, it, vi } from 'vitest';
import { describeRoutes } from '../../src/api/description.ts';
import type { ApiEnvironment } from '../../src/api/environment.ts';

it('describes the routes once, however often it is asked', async () => {
  const api = new OpenAPIHono<ApiEnvironment>();
  const route = createRoute({ method: 'get', path: '/one', responses: { 200: { description: 'One' } } });
  api.openapi(route, (c) => c.text('one'));
  describeRoutes(api);
  const describing = vi.spyOn(api, 'getOpenAPI31Document');
  const texts = await Promise.all([1, 2, 3].map(async () => (await api.request('/openapi.json')).text()));
  expect(new Set(texts).size).toBe(1);
  expect(JSON.parse(texts[0]!)).toMatchObject({ openapi: '3.1.0', paths: { '/one': { get: {} } } });
  expect(describing).toHaveBeenCalledTimes(1);
});
