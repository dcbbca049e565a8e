import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCutOffApi } from '../world/another-api.ts';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';

const SECRET = 'a-secret-of-the-environment';
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

describe('what a caller learns and reaches', () => {
  let world: World;
  const create = async (body: object) => {
    const { json } = await world.call('POST', '/keys', body, bearer(SECRET));
    return json.key as string;
  };
  beforeAll(async () => {
    world = await openWorld(
      'server',
      { API_KEYS: `ops=${SECRET}` },
      { semantic_search: async ({ query, limit }) => ({ query, results: [], limit }) },
    );
  });
  afterAll(() => world.close());

  it('is no task of another queue, however its id is written in the path', async () => {
    const key = await create({ name: 'searcher', rights: ['read', 'operate'], queues: ['search'] });
    const task = { name: 'semantic_search', args: ['a'] };
    for (const [task_id, queue] of [
      ['100%-%25', 'search'],
      ['100%-%', 'content'],
    ]) {
      const made = await world.call('POST', '/tasks', { ...task, task_id, queue }, bearer(SECRET));
      expect(made.status).toBe(202);
    }
    const own = `/tasks/${encodeURIComponent('100%-%25')}`;
    await eventually(async () => expect((await world.call('GET', own, undefined, bearer(key))).status).toBe(200));
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/events'],
      ['POST', '/cancel'],
      ['POST', '/retry'],
    ] as const) {
      const answer = await world.call(method, `/tasks/100%-%25${path}`, undefined, bearer(key));
      expect([answer.status, answer.text], path).toEqual([403, expect.stringContaining('the queue content')]);
    }
  });

  it('of the names of tasks, is those of its queues', async () => {
    const unknown = async (key: string) =>
      (await world.call('POST', '/tasks', { name: 'nothing', args: [] }, bearer(key))).json;
    expect(await unknown(SECRET)).toMatchObject({
      code: 'unknown_task',
      detail: expect.stringContaining('ingest_url'),
    });
    const searcher = await create({ name: 'searcher', rights: ['trigger'], queues: ['search'] });
    expect((await unknown(searcher)).detail).toBe('nothing is not one of semantic_search');
    const builder = await create({ name: 'builder', rights: ['trigger'], repositories: ['acme/*'] });
    expect((await unknown(builder)).detail).toBe('there is no task nothing in the queues that you reach');
  });

  it('is why a dependency fails only where it may read everything', async () => {
    const { key, ...api } = await startCutOffApi(world);
    const ask = async (path: string, headers: Record<string, string>) =>
      (await fetch(`${api.url}${path}`, { headers })).json() as Promise<{
        detail?: string;
        dependencies: { postgres: { status: string; detail?: string } };
      }>;
    await eventually(async () => {
      expect((await ask('/health', bearer(key))).dependencies.postgres.detail).toMatch(/ECONNREFUSED|127/);
    });
    for (const headers of [{}, bearer('a-wrong-key')]) {
      const { postgres } = (await ask('/health', headers)).dependencies;
      expect(postgres).toEqual({ status: 'degraded', checked_at: expect.any(String) });
      expect((await ask('/health/ready', headers)).detail).toContain('postgres: degraded');
    }
    expect((await ask('/health/ready', bearer(key))).detail).toContain('127.0.0.1:1');
  });

  it('on a page over TLS, is a cookie for TLS alone, whatever the proxy in front says', async () => {
    const signIn = async (protocol: string) => {
      const origin = `${protocol}://${new URL(world.url).host}`;
      const headers = { origin, 'content-type': 'application/x-www-form-urlencoded' };
      const init = { method: 'POST', headers, body: `key=${SECRET}`, redirect: 'manual' } as const;
      return (await fetch(`${world.url}/console/sign-in`, init)).headers.get('set-cookie');
    };
    expect(await signIn('https')).toMatch(/; Secure/);
    expect(await signIn('http')).not.toMatch(/; Secure/);
  });
});
