import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createConsole } from '../../src/console/app.ts';
import type { EventView } from '../../src/contracts/builds/event.ts';
import type { NewKey } from '../../src/contracts/keys/key.ts';
import { RIGHTS, type Right } from '../../src/contracts/keys/key-event.ts';
import { startAnotherApi } from '../world/another-api.ts';
import { person } from '../world/command-line.ts';
import { eventually } from '../world/eventually.ts';
import { openGate } from '../world/open-gate.ts';
import { openWorld, type World } from '../world/world.ts';

const SECRET = 'a-secret-of-the-environment';
const OPS = { authorization: `Bearer ${SECRET}` };
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

interface Operation {
  operationId: string;
  security?: Array<Record<string, string[]>>;
  'x-restricted-keys'?: string;
}

describe('keys', () => {
  let world: World;
  const keys = {} as Record<Right, string>;
  let restricted: string;
  let operations: Array<{ method: string; path: string; operation: Operation }>;

  const create = async (body: object, headers = OPS): Promise<NewKey> => {
    const made = await world.call('POST', '/keys', body, headers);
    expect([made.status, made.json?.detail]).toEqual([201, undefined]);
    return made.json;
  };
  /** A request that would change nothing, were it allowed: what it is about does not exist. */
  const request = (method: string, path: string) =>
    [method, path.replaceAll(/\{\w+\}/g, '999999'), method === 'GET' || method === 'DELETE' ? undefined : {}] as const;

  beforeAll(async () => {
    world = await openWorld(
      'server',
      { API_KEYS: `ops=${SECRET}` },
      { semantic_search: async ({ query, limit }) => ({ query, results: [], limit }) },
    );
    for (const right of RIGHTS) keys[right] = (await create({ name: right, rights: [right] })).key;
    restricted = (await create({ name: 'part', rights: ['read', 'trigger', 'operate'], repositories: ['acme/*'] })).key;
    const { json } = await world.call('GET', '/openapi.json');
    operations = Object.entries(json.paths as Record<string, Record<string, Operation>>).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
    );
  });
  afterAll(() => world.close());

  it('are needed by every route that the description does not call open', async () => {
    const open = operations.filter(({ operation }) => operation.security?.length === 0).map(({ path }) => path);
    expect(open).toEqual(['/health', '/health/live', '/health/ready', '/']);
    for (const { method, path, operation } of operations) {
      if (operation.security?.length === 0 || operation.security?.some((one) => one.signature)) continue;
      const answer = await world.call(...request(method, path));
      expect([answer.status, answer.json.code], `${method} ${path}`).toEqual([401, 'unauthorized']);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
    // The session of a console, a user of Flower and a signature of a webhook are no keys.
    expect((await world.call('GET', '/builds', undefined, { cookie: `hapax_console=${SECRET}` })).status).toBe(401);
  });

  it('are refused by every route whose right they lack, and by no other', async () => {
    let refused = 0;
    for (const { method, path, operation } of operations) {
      const right = operation.security?.[0]?.key?.[0] as Right | undefined;
      if (!right) continue;
      expect(RIGHTS).toContain(right);
      for (const held of RIGHTS) {
        const answer = await world.call(...request(method, path), bearer(keys[held]));
        const told = `${method} ${path} needs ${right} and was asked with ${held}: ${answer.text.slice(0, 200)}`;
        if (held === right || held === 'admin') expect([401, 403], told).not.toContain(answer.status);
        else {
          expect([answer.status, answer.json.code], told).toEqual([403, 'forbidden']);
          expect(answer.json.detail).toContain(right);
          refused++;
        }
      }
    }
    expect(refused).toBeGreaterThan(150);
  });

  it('of some repositories reach no route that does not say how it keeps to them', async () => {
    for (const { method, path, operation } of operations) {
      const right = operation.security?.[0]?.key?.[0] as Right | undefined;
      if (!right || operation['x-restricted-keys']) continue;
      const answer = await world.call(...request(method, path), bearer(restricted));
      expect([answer.status, answer.json.code], `${method} ${path}`).toEqual([403, 'forbidden']);
    }
  });

  it('of some repositories build, see and operate these, and nothing else', async () => {
    const { json: other } = await world.call(
      'POST',
      '/configs',
      { name: 'other', repository: 'rival/images', workflow: 'build.yml' },
      OPS,
    );
    const { json: foreign } = await world.call('POST', '/builds/trigger', { config_id: other.id }, OPS);
    const as = (method: string, path: string, body?: unknown) => world.call(method, path, body, bearer(restricted));
    expect(await as('POST', '/builds/trigger', { config_id: other.id })).toMatchObject({
      status: 403,
      json: { code: 'forbidden', detail: expect.stringContaining('rival/images') },
    });
    const { json: own } = await as('POST', '/builds/trigger', { ref: 'own' });
    await eventually(async () => {
      const { json } = await world.call('GET', '/builds', undefined, OPS);
      expect(json.builds.map(({ id }: { id: number }) => id)).toEqual(expect.arrayContaining([own.id, foreign.id]));
    });
    for (const path of ['', '/events', '/verify']) {
      expect((await as('GET', `/builds/${own.id}${path}`)).status, path).toBe(200);
      expect((await as('GET', `/builds/${foreign.id}${path}`)).status, path).toBe(403);
    }
    expect((await as('POST', `/builds/${foreign.id}/cancel`)).status).toBe(403);
    const listed = await as('GET', '/builds?count=true');
    expect(new Set(listed.json.builds.map(({ repository }: { repository: string }) => repository))).toEqual(
      new Set(['acme/images']),
    );
    expect(listed.json.count.value).toBe(listed.json.builds.length);
    const at = new Date().toISOString();
    expect((await as('GET', `/builds?at=${at}`)).json.builds).toHaveLength(listed.json.builds.length);
    expect((await as('GET', '/tasks')).json.tasks).toEqual([]);
    expect((await as('GET', '/queues')).json).toEqual([]);
    expect((await as('POST', '/tasks', { name: 'semantic_search', args: ['a'] })).status).toBe(403);
    expect((await as('POST', '/keys', { name: 'more', rights: ['admin'] })).status).toBe(403);
  });

  it('of some queues send, see and revoke tasks of these, and nothing else', async () => {
    const { key } = await create({ name: 'searcher', rights: ['read', 'trigger', 'operate'], queues: ['search'] });
    const as = (method: string, path: string, body?: unknown) => world.call(method, path, body, bearer(key));
    const sent = await as('POST', '/tasks', { name: 'semantic_search', args: ['a'] });
    expect(sent.status).toBe(202);
    expect((await as('POST', '/tasks', { name: 'semantic_search', args: ['a'], queue: 'youtube' })).status).toBe(403);
    expect((await as('POST', '/youtube/ingest-async?url=https://youtu.be/dQw4w9WgXcQ')).status).toBe(403);
    // A type of another queue is not theirs, whatever queue the request names.
    const refused = await as('POST', '/tasks', { name: 'ingest_url', args: ['https://a.example/'], queue: 'search' });
    expect(refused).toMatchObject({ status: 403, json: { detail: expect.stringContaining('the queue content') } });
    const elsewhere = { name: 'semantic_search', args: ['b'], queue: 'content' };
    const { json: foreign } = await world.call('POST', '/tasks', elsewhere, OPS);
    await eventually(async () => expect((await as('GET', `/tasks/${sent.json.task_id}`)).status).toBe(200));
    await eventually(async () => expect((await as('GET', `/tasks/${foreign.task_id}`)).status).toBe(403));
    expect((await as('POST', `/tasks/${foreign.task_id}/cancel`)).status).toBe(403);
    const { json } = await as('GET', '/tasks');
    expect(new Set(json.tasks.map(({ queue }: { queue: string }) => queue))).toEqual(new Set(['search']));
    expect((await as('GET', '/queues')).json.map(({ name }: { name: string }) => name)).toEqual(['search']);
    expect((await as('POST', '/queues/youtube/pause')).status).toBe(403);
    expect((await as('POST', '/queues/search/resume')).status).toBe(200);
    expect((await as('GET', '/builds')).json.builds).toEqual([]);
  });

  it('are shown once; the record says who made and revoked them, and holds neither key nor hash', async () => {
    const made = await create({ name: 'short', rights: ['read'] }, bearer(keys.admin));
    expect(made).toMatchObject({ status: 'active', created_by: 'key:admin', last_used_at: null });
    expect((await world.call('GET', '/builds', undefined, bearer(made.key))).status).toBe(200);
    expect((await world.call('DELETE', `/keys/${made.id}`, undefined, bearer(keys.admin))).status).toBe(204);
    expect((await world.call('GET', '/builds', undefined, bearer(made.key))).status).toBe(401);
    const known = await world.call('GET', `/keys/${made.id}`, undefined, OPS);
    expect(known.json).toMatchObject({ status: 'revoked', revoked_by: 'key:admin' });
    expect(known.json).not.toHaveProperty('key');
    const { json } = await world.call('GET', `/events?stream=key:${made.id}`, undefined, OPS);
    expect(json.events.map((event: EventView) => [event.event_type, event.event_data?.by])).toEqual([
      ['key_created', 'key:admin'],
      ['key_revoked', 'key:admin'],
    ]);
    expect(JSON.stringify(json)).not.toContain(made.key.slice(4));
    const kept = await world.db`SELECT (SELECT count(*) FROM key_hashes WHERE id = ${made.id}) AS hashes,
      (SELECT count(*) FROM events WHERE data::text LIKE ${`%${made.key.slice(4)}%`}) AS texts`;
    expect(kept[0]).toEqual({ hashes: 0, texts: 0 });
    expect((await world.call('DELETE', `/keys/${made.id}`, undefined, OPS)).json.code).toBe('state_conflict');
    const ids = (await world.call('GET', '/keys', undefined, OPS)).json.keys.map(({ id }: { id: string }) => id);
    expect(ids).not.toContain(made.id);
  });

  it('scope Idempotency-Keys: of one name they are one caller, of two names two', async () => {
    const first = await create({ name: 'rotated', rights: ['trigger'] });
    const second = await create({ name: 'rotated', rights: ['trigger'] });
    const build = async (key: string) => {
      const headers = { ...bearer(key), 'idempotency-key': 'one' };
      return (await world.call('POST', '/builds/trigger', { ref: 'scoped' }, headers)).json.id;
    };
    const id = await build(first.key);
    expect(await build(second.key)).toBe(id);
    expect(await build(keys.trigger)).not.toBe(id);
    expect(await build(SECRET)).not.toBe(id);
    const { json } = await world.call('GET', `/events?stream=build:${id}&types=build_queued`, undefined, OPS);
    expect(json.events[0].event_data.caller).toBe('key:rotated');
  });

  it('say what is wrong with them: mistyped, expired or unknown', async () => {
    const detail = async (key: string) => (await world.call('GET', '/builds', undefined, bearer(key))).json.detail;
    expect(await detail(`${keys.read.slice(0, -1)}_`)).toContain('checksum');
    const soon = new Date(Date.now() + 1_500).toISOString();
    const { key, id } = await create({ name: 'soon', rights: ['read'], expires_at: soon });
    await eventually(async () => expect(await detail(key)).toContain(`${id} expired at ${soon}`));
    expect((await world.call('GET', `/keys/${id}`, undefined, OPS)).json.status).toBe('expired');
    for (const body of [
      { name: 'a', rights: [] },
      { name: 'a', rights: ['write'] },
      { name: 'a', rights: ['read', 'read'] },
      { name: 'a', rights: ['admin'], queues: ['search'] },
      { name: 'a', rights: ['read'], repositories: [] },
      { name: 'a', rights: ['read'], repositories: ['*'] },
      { name: 'a b', rights: ['read'] },
      { rights: ['read'] },
    ]) {
      expect((await world.call('POST', '/keys', body, OPS)).status, JSON.stringify(body)).toBe(400);
    }
    const past = { name: 'a', rights: ['read'], expires_at: '2020-01-01T00:00:00Z' };
    expect((await world.call('POST', '/keys', past, OPS)).json.code).toBe('state_conflict');
  });

  it('are revoked at once at every API, with their streams', async () => {
    const other = await startAnotherApi(world, { settings: { API_KEYS: `ops=${SECRET}` } });
    const { key, id } = await create({ name: 'streams', rights: ['read'] });
    await eventually(async () => {
      expect((await other.call('GET', '/builds', undefined, bearer(key))).status).toBe(200);
    });
    const stream = await fetch(`${other.url}/events`, { headers: { ...bearer(key), accept: 'text/event-stream' } });
    const ended = (async () => {
      for await (const _ of stream.body!);
      return performance.now();
    })();
    await world.call('DELETE', `/keys/${id}`, undefined, OPS);
    await eventually(async () => {
      expect((await other.call('GET', '/builds', undefined, bearer(key))).status).toBe(401);
    });
    await ended;
  });

  it('open no route of Flower that they lack the right for', async () => {
    const routes = [
      ['GET', '/api/tasks', 'read'],
      ['GET', '/api/workers', 'read'],
      ['GET', '/api/queues/length', 'read'],
      ['GET', '/api/task/types', 'read'],
      ['GET', '/api/task/info/x', 'read'],
      ['GET', '/api/task/result/x', 'read'],
      ['POST', '/api/task/async-apply/tasks.semantic_search', 'trigger'],
      ['POST', '/api/task/send-task/tasks.semantic_search', 'trigger'],
      ['POST', '/api/task/apply/tasks.semantic_search', 'trigger'],
      ['POST', '/api/task/revoke/x', 'operate'],
      ['POST', '/api/task/abort/x', 'operate'],
      ['POST', '/api/task/rate-limit/x', 'operate'],
      ['POST', '/api/task/timeout/x', 'operate'],
      ['POST', '/api/worker/shutdown/x', 'operate'],
      ['POST', '/api/worker/pool/restart/x', 'operate'],
      ['POST', '/api/worker/pool/grow/x', 'operate'],
      ['POST', '/api/worker/pool/shrink/x', 'operate'],
      ['POST', '/api/worker/pool/autoscale/x', 'operate'],
      ['POST', '/api/worker/queue/add-consumer/x', 'operate'],
      ['POST', '/api/worker/queue/cancel-consumer/x', 'operate'],
    ] as const;
    for (const [method, path, right] of routes) {
      const ask = async (key?: string) => {
        const body = method === 'POST' ? { body: '{"args": ["a"]}' } : {};
        return (await fetch(world.url + path, { method, headers: key ? bearer(key) : {}, ...body })).status;
      };
      expect(await ask(), path).toBe(401);
      expect(await ask(restricted), path).toBe(403);
      for (const held of RIGHTS.filter((one) => one !== right && one !== 'admin')) {
        expect(await ask(keys[held]), `${path} with ${held}`).toBe(403);
      }
    }
  });

  it('without rights see no button in the console, and are refused by each of its routes', async () => {
    const gate = openGate(world.db);
    const place = { base: '/console', besideApi: true, readOnly: false };
    const { routes } = createConsole({ db: world.db } as never, { gate, trustedHosts: [] }, place);
    const pathsOf = (method: string) => [
      ...new Set(routes.filter((route) => route.method === method).map(({ path }) => path)),
    ];
    const own = { origin: world.url, 'content-type': 'application/x-www-form-urlencoded' };
    const send = (path: string, body: string, cookie = '') =>
      fetch(world.url + path, { method: 'POST', headers: { ...own, cookie }, body, redirect: 'manual' });
    const signIn = async (key: string) => {
      const answer = await send('/console/sign-in', `key=${key}`);
      return { status: answer.status, cookie: (answer.headers.get('set-cookie') ?? '').split(';')[0]! };
    };
    expect((await signIn(keys.trigger)).status).toBe(403);
    expect((await signIn(restricted)).status).toBe(403);
    const { status, cookie } = await signIn(keys.read);
    expect([status, cookie.includes(keys.read)]).toEqual([303, false]);

    const pages = pathsOf('GET').filter((path) => !/[:*]|changes|many-|new$|keys$/.test(path));
    expect(pages.length).toBeGreaterThan(10);
    for (const path of pages) {
      const page = await world.call('GET', path, undefined, { cookie });
      expect(page.status, path).toBe(200);
      const [main] = /<main[\s\S]*<\/main>/.exec(page.text) ?? [];
      expect(main, path).toBeDefined();
      expect(main, path).not.toMatch(/method="post"|formaction|href="(trigger|configurations\/new)"/);
    }
    expect((await world.call('GET', '/console/keys', undefined, { cookie })).status).toBe(403);
    const changes = pathsOf('POST').filter((path) => !/sign-|theme$/.test(path));
    expect(changes.length).toBeGreaterThan(20);
    for (const path of changes) {
      const target = path.replaceAll(/:\w+(\{[^}]*\})?/g, '1');
      expect((await send(target, 'sure=yes')).status, target).toBe(401);
      expect((await send(target, 'sure=yes', cookie)).status, target).toBe(403);
    }
    const { id } = await create({ name: 'visitor', rights: ['read'] });
    await world.call('DELETE', `/keys/${id}`, undefined, OPS);
    const { cookie: ofOps } = await signIn(SECRET);
    expect((await world.call('GET', '/console/builds', undefined, { cookie: ofOps })).text).toContain('formaction');
    const out = await send('/console/sign-out', '', cookie);
    expect(out.status).toBe(303);
    expect((await world.call('GET', '/console/builds', undefined, { cookie })).status).toBe(401);
  });

  it('are created, listed and revoked from the command line, which prints the key alone', async () => {
    const me = person({ HAPAX_URL: world.url, HAPAX_API_KEY: keys.admin });
    try {
      const options = ['--rights', 'read,trigger', '--repository', 'octo/images', '--expires', '90d'];
      const made = await me.hapax(['keys', 'create', 'nightly', ...options]);
      expect([made.code, made.stdout]).toEqual([0, expect.stringMatching(/^hpx_[0-9A-Za-z]{49}\n$/)]);
      const name = /key_\w+/.exec(made.stderr)![0];
      const { stdout } = await me.hapax(['keys', 'list']);
      expect(stdout).toMatch(new RegExp(`${name} +nightly +read,trigger +octo/images`));
      expect(stdout).not.toContain(made.stdout.trim());
      expect(await me.hapax(['keys', 'revoke', name, '--yes'])).toMatchObject({
        code: 0,
        stdout: `${name}: revoked\n`,
      });
      expect((await me.hapax(['list'], { HAPAX_API_KEY: made.stdout.trim() })).code).toBe(4);
      expect((await me.hapax(['keys', 'create', 'x', '--rights', 'write'])).code).toBe(2);
    } finally {
      me.remove();
    }
  });

  it('are limited in what they ask for and have in flight, each by itself', async () => {
    const { key } = await create({ name: 'busy', rights: ['trigger'], requests_per_minute: 40, builds_in_flight: 2 });
    const trigger = (ref: string) =>
      world.call('POST', '/builds/trigger', { ref, inputs: { simulate: 'stuck' } }, bearer(key));
    const many = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((ref) => trigger(`flight-${ref}`)));
    expect(many.map(({ status }) => status).sort()).toEqual([202, 202, 429, 429, 429]);
    const full = many.find(({ status }) => status === 429)!;
    expect(full.json.code).toBe('too_many_in_flight');
    expect(Number(full.headers.get('retry-after'))).toBeGreaterThan(0);
    const made = many.filter(({ status }) => status === 202).map(({ json }) => json.id);
    // An equal request makes nothing, so nothing refuses it.
    const again = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((ref) => trigger(`flight-${ref}`)));
    expect(
      again
        .filter(({ status }) => status === 202)
        .map(({ json }) => json.id)
        .sort(),
    ).toEqual(made.sort());
    const { headers } = again[0]!;
    expect(headers.get('ratelimit-policy')).toBe('"key";q=40;w=60');
    expect(headers.get('ratelimit')).toMatch(/^"key";r=\d+;t=\d+$/);
    const rest = await Promise.all(Array.from({ length: 60 }, () => trigger('a-b:c')));
    const limited = rest.find(({ json }) => json.code === 'rate_limited')!;
    expect(limited.status).toBe(429);
    expect(limited.headers.get('ratelimit')).toMatch(/^"key";r=0;t=\d+$/);
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await world.call('GET', '/builds', undefined, bearer(keys.read))).status).toBe(200);
    for (const id of made) await world.call('POST', `/builds/${id}/cancel`, undefined, OPS);
  });

  it('that are wrong are limited by address, which shuts out nobody with a right one', async () => {
    const wrong = () => world.call('GET', '/builds', undefined, bearer('hpx_wrong'));
    await eventually(async () => {
      const answer = await wrong();
      expect([answer.status, answer.json.code]).toEqual([429, 'rate_limited']);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    });
    expect((await world.call('GET', '/builds', undefined, bearer(keys.read))).status).toBe(200);
    expect((await world.call('GET', '/builds', undefined, OPS)).status).toBe(200);
  });
});
