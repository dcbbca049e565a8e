import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../world/eventually.ts';
import { steadyPort } from '../world/steady-port.ts';
import { openWorld } from '../world/world.ts';

describe('access to the routes of Flower', () => {
  const path = '/api/task/async-apply/tasks.semantic_search';
  const open = async (settings: Parameters<typeof openWorld>[1]) => {
    const world = await openWorld('embedded', settings, {
      semantic_search: async ({ query, limit }) => ({ query, results: [], limit }),
    });
    onTestFinished(() => world.close());
    const ask = (headers: Record<string, string> = {}, method = 'POST') =>
      fetch(`${world.url}${path}`, { method, headers, ...(method === 'POST' ? { body: '{"args": ["a"]}' } : {}) });
    return { world, ask };
  };
  const basic = (user: string) => ({ authorization: `Basic ${Buffer.from(user).toString('base64')}` });

  it('is for users where there are any', async () => {
    const { ask } = await open({ FLOWER_BASIC_AUTH: 'user1:pass1,user2:pa:ss2', API_KEYS: 'ci=0123456789abcdef' });
    for (const user of ['user1:pass1', 'user2:pa:ss2']) expect((await ask(basic(user))).status).toBe(200);
    for (const headers of [{}, basic('user1:wrong'), { authorization: 'Basic %%%' }, { authorization: 'Bearer abc' }]) {
      const refused = await ask(headers);
      expect([refused.status, await refused.text(), refused.headers.get('www-authenticate')]).toEqual([401, '', null]);
    }
    expect((await ask({}, 'OPTIONS')).status).toBe(204);
    const foreign = await ask({ ...basic('user1:pass1'), origin: 'http://evil.example' });
    expect([foreign.status, await foreign.text()]).toEqual([403, 'Cross-origin request forbidden']);
  });

  it('is for who bears a key where the API has keys, unless it is opened to all', async () => {
    const { ask } = await open({ API_KEYS: 'ci=0123456789abcdef' });
    const refused = await ask();
    expect([refused.status, await refused.text()]).toEqual([
      401,
      'FLOWER_UNAUTHENTICATED_API environment variable is required to enable API without authentication',
    ]);
    expect((await ask({ authorization: 'Bearer 0123456789abcdef' })).status).toBe(200);
    const opened = await open({ API_KEYS: 'ci=0123456789abcdef', FLOWER_UNAUTHENTICATED_API: 'true' });
    const answer = await opened.ask();
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, '*']);
  });

  it('covers the metrics, which name tasks and machines', async () => {
    const openAt = async (settings: Parameters<typeof openWorld>[1]) => {
      const port = String(await steadyPort());
      const { world } = await open({ ...settings, FLOWER_PORT: port });
      const scrape = async (headers: Record<string, string> = {}) =>
        (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).status;
      return { world, scrape };
    };
    const API_KEYS = 'ci=0123456789abcdef';
    const key = { authorization: 'Bearer 0123456789abcdef' };
    const { world, scrape } = await openAt({ API_KEYS });
    const { json } = await world.call('POST', '/keys', { name: 'sender', rights: ['trigger'] }, key);
    const sender = { authorization: `Bearer ${json.key}` };
    expect([await scrape(), await scrape(sender), await scrape(key)]).toEqual([401, 403, 200]);
    const { scrape: byUser } = await openAt({ FLOWER_BASIC_AUTH: 'prometheus:a-password' });
    expect([await byUser(), await byUser(basic('prometheus:a-password'))]).toEqual([401, 200]);
    const { scrape: byAll } = await openAt({ FLOWER_UNAUTHENTICATED_API: 'true', API_KEYS });
    expect(await byAll()).toBe(200);
  });

  it('is limited by address where passwords are wrong, which shuts out nobody with a right one', async () => {
    const { ask } = await open({ FLOWER_BASIC_AUTH: 'user1:pass1' });
    await eventually(async () => {
      const refused = await ask(basic('user1:guess'));
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    });
    expect((await ask(basic('user1:pass1'))).status).toBe(200);
    expect((await ask()).status).toBe(401);
  });

  it('is to read where it is read only, and under its prefix alone where it has one', async () => {
    const { world, ask } = await open({ FLOWER_READ_ONLY: 'true' });
    const refused = await ask();
    expect([refused.status, await refused.text()]).toEqual([403, 'Read only mode is enabled']);
    expect((await fetch(`${world.url}/api/task/result/x`)).status).toBe(200);
    const port = await steadyPort();
    const { world: prefixed } = await open({ FLOWER_URL_PREFIX: '/flower/', FLOWER_PORT: String(port) });
    expect((await fetch(`http://127.0.0.1:${port}/flower/api/task/types`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${port}/api/task/types`)).status).toBe(404);
    expect((await fetch(`${prefixed.url}/flower/api/task/types`)).status).toBe(200);
  });
});
