import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startCutOffApi } from '../world/another-api.ts';
import { openGate } from '../world/open-gate.ts';
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

  it('are not called wrong where they were made elsewhere since it read them', async () => {
    // Its ring is read only when it is told to.
    const gate = openGate(world.db);
    await gate.ring.refresh();
    const key = await create('meanwhile');
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 6_000);
    try {
      await expect(gate.identify(key, '127.0.0.1')).rejects.toMatchObject({ code: 'database_unavailable' });
    } finally {
      clock.mockRestore();
    }
    await gate.ring.refresh();
    expect((await gate.identify(key, '127.0.0.1')).caller).toBe('key:meanwhile');
  });
});
