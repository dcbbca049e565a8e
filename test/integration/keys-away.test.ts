import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAnotherApi, startCutOffApi } from '../world/another-api.ts';
import { eventually } from '../world/eventually.ts';
import { startFreezingProxy } from '../world/freezing-proxy.ts';
import { openWorld, type World } from '../world/world.ts';

const SECRET = 'a-secret-of-the-environment';
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

describe('created keys, at an API that cannot read them', () => {
  let world: World;
  const create = async (name: string) => {
    const { json } = await world.call('POST', '/keys', { name, rights: ['read'] }, bearer(SECRET));
    return json.key as string;
  };
  beforeAll(async () => {
    world = await openWorld('server', { API_KEYS: `ops=${SECRET}` });
  });
  afterAll(() => world.close());

  it('are not called wrong, however often they are sent, where it has never read them', async () => {
    const key = await create('before');
    const api = await startCutOffApi(world);
    for (let times = 0; times < 40; times++) {
      const { status, json, headers } = await api.call('GET', '/queues', undefined, bearer(key));
      expect([status, json.code]).toEqual([503, 'database_unavailable']);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
    const mistyped = await api.call('GET', '/queues', undefined, bearer(`${key.slice(0, -1)}_`));
    expect([mistyped.status, mistyped.json.code]).toEqual([401, 'unauthorized']);
  });

  it('are not called wrong where they were made elsewhere meanwhile', async () => {
    const url = new URL(world.databaseUrl);
    const proxy = await startFreezingProxy(Number(url.port));
    url.port = String(proxy.port);
    const api = await startAnotherApi({ ...world, databaseUrl: url.href }, { settings: { API_KEYS: `ops=${SECRET}` } });
    proxy.freeze();
    const key = await create('meanwhile');
    await eventually(async () => {
      const { status, json } = await api.call('GET', '/queues', undefined, bearer(key));
      expect([status, json.code]).toEqual([503, 'database_unavailable']);
    });
    // Before the API, which would wait for its queries.
    await proxy.close();
  });
});
