import { expect, it, onTestFinished } from 'vitest';
import { startAnotherApi } from '../world/another-api.ts';
import { openWorld } from '../world/world.ts';

it('a key says when it was used last, also where the API that it was used at has stopped', async () => {
  const secret = 'a-secret-of-the-environment';
  const world = await openWorld('server', { API_KEYS: `ops=${secret}` });
  onTestFinished(() => world.close());
  const ops = { authorization: `Bearer ${secret}` };
  const { id, key, created_at } = (await world.call('POST', '/keys', { name: 'used', rights: ['read'] }, ops)).json;
  const other = await startAnotherApi(world, { settings: { API_KEYS: `ops=${secret}` } });
  const used = await other.call('GET', '/builds', undefined, { authorization: `Bearer ${key}` });
  expect(used.status).toBe(200);
  await other.close();
  const { last_used_at } = (await world.call('GET', `/keys/${id}`, undefined, ops)).json;
  expect(Date.parse(last_used_at)).toBeGreaterThanOrEqual(Date.parse(created_at));
});
