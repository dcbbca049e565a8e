import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { problem } from '../../src/contracts/problem.ts';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';

/** A route as OpenAPI describes it. */
interface Operation {
  requestBody?: { required?: boolean };
  responses: Record<string, object>;
}

const NO_SUBSCRIPTION = `sub_${'0'.repeat(24)}`;

/** What a path names that is not there. */
function idIn(path: string): string {
  if (path.startsWith('/dlq')) return 'build:7';
  if (path.startsWith('/subscriptions')) return NO_SUBSCRIPTION;
  return path.includes('{name}') ? 'nothing' : '7';
}

describe('bad input', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld('server');
  });
  afterAll(async () => {
    const { json } = await world.call('GET', '/builds');
    expect(json.builds).toEqual([]);
    expect((await world.github.oracle()).dispatch_requests).toBe(0);
    await world.close();
  });

  const inputs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`i${n}`, 'x']));

  it.each([
    ['wrong type', { ref: 5 }, 400, 'invalid_request'],
    ['unknown field', { ref: 'main', reff: 'x' }, 400, 'invalid_request'],
    ['an array', [], 400, 'invalid_request'],
    ['null', null, 400, 'invalid_request'],
    ['a string', '"x"', 400, 'invalid_request'],
    ['no JSON', '{"ref":', 400, 'malformed_json'],
    ['nothing', '', 400, 'malformed_json'],
    ['40 inputs', { inputs: inputs(40) }, 400, 'invalid_request'],
    ['25 inputs, no place left for the token', { inputs: inputs(25) }, 422, 'unprocessable_inputs'],
    [
      'inputs larger than GitHub takes',
      { inputs: { a: 'x'.repeat(60_000), b: 'x'.repeat(6_000) } },
      422,
      'unprocessable_inputs',
    ],
    ['our own input', { inputs: { hapax_id: 'x' } }, 422, 'unprocessable_inputs'],
    ['a NUL byte', { inputs: { a: 'x\u0000y' } }, 400, 'invalid_request'],
    ['half a surrogate pair', '{"inputs":{"a":"\\ud800"}}', 400, 'invalid_request'],
    ['a nested input', { inputs: { a: { b: 1 } } }, 400, 'invalid_request'],
    ['__proto__ as an input', '{"inputs":{"__proto__":"x"}}', 400, 'invalid_request'],
    ['a key twice', '{"ref":"main","ref":"other"}', 400, 'invalid_request'],
    ['a number beyond 2^53', '{"inputs":{"a":9007199254740993}}', 400, 'invalid_request'],
    ['a body that nests 101 levels', `{"inputs":${'['.repeat(100)}${']'.repeat(100)}}`, 400, 'invalid_request'],
    ['a bad ref', { ref: 'a..b' }, 400, 'invalid_request'],
    ['an empty ref', { ref: '' }, 400, 'invalid_request'],
    ['a huge number', '{"config_id":1e400}', 400, 'invalid_request'],
    ['an unknown configuration', { config_id: 99 }, 422, 'unknown_configuration'],
  ])('in a trigger (%s) is refused', async (_, body, status, code) => {
    const answer = await world.call('POST', '/builds/trigger', typeof body === 'string' ? body : JSON.stringify(body), {
      'content-type': 'application/json',
    });
    expect([answer.status, answer.json?.code]).toEqual([status, code]);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(problem.parse(answer.json).request_id).toBe(answer.headers.get('x-request-id'));
  });

  it('names the place of every fault', async () => {
    const { json } = await world.trigger({ ref: 7, inputs: { a: [] } });
    expect(json.errors.map((fault: { path: string }) => fault.path)).toEqual(['body.ref', 'body.inputs.a']);
    const twice = await world.call('POST', '/builds/trigger', '{"inputs":{"a":1,"a":2}}', {
      'content-type': 'application/json',
    });
    expect(twice.json.errors).toEqual([{ path: 'body.inputs.a', message: 'is there twice; send each key once' }]);
  });

  it.each([
    ['GET', '/builds?since=yesterday', 'query.since: must be a time as 2026-11-21T10:00:00Z'],
    ['GET', '/builds?limit=many', 'query.limit: must be a number'],
    ['GET', '/builds?cursor=x', 'query.cursor: must be the next_cursor of a page'],
    ['POST', '/builds/1/adopt', 'body.run_id: is missing'],
    ['GET', '/nothing', 'GET /nothing does not exist; see /docs'],
    ['PUT', '/builds/1', '/builds/1 supports GET, not PUT; see /docs'],
  ])('is named in words to act upon (%s %s)', async (method, path, detail) => {
    expect((await world.call(method, path, method === 'GET' ? undefined : {})).json.detail).toBe(detail);
  });

  it('as a method that a path does not serve is answered with those that it does', async () => {
    for (const [method, path, allow] of [
      ['DELETE', '/builds/1', 'GET'],
      ['OPTIONS', '/configs/2', 'GET, PUT, DELETE'],
      ['GET', '/configs/by-name/fedora', 'PUT'],
    ] as const) {
      const { status, json, headers } = await world.call(method, path);
      expect([status, json.code, headers.get('allow')]).toEqual([405, 'method_not_allowed', allow]);
    }
    expect((await fetch(`${world.url}/builds`, { method: 'HEAD' })).status).toBe(200);
  });

  it('of 2 MiB is refused by its length and, without one, as it comes', async () => {
    const big = JSON.stringify({ inputs: { a: 'x'.repeat(2 * 1024 * 1024) } });
    expect((await world.call('POST', '/builds/trigger', big, { 'content-type': 'application/json' })).status).toBe(413);
    expect(await chunked(`${world.url}/builds/trigger`, big)).toBe(413);
    // The limit itself is 1 MiB, and one byte of no meaning is too much.
    const largest = JSON.stringify({ nope: 'x'.repeat(1024 * 1024 - '{"nope":""}'.length) });
    const json = { 'content-type': 'application/json' };
    for (const [body, status] of [
      [largest, 400],
      [`${largest} `, 413],
    ] as const) {
      expect((await world.call('POST', '/builds/trigger', body, json)).status).toBe(status);
      expect(await chunked(`${world.url}/builds/trigger`, body)).toBe(status);
    }
  });

  it('of another kind is refused, so that no web page can post it unasked', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', '']) {
      const { status, json } = await world.call('POST', '/builds/trigger', '{}', { 'content-type': type });
      expect([status, json.code]).toEqual([415, 'unsupported_media_type']);
    }
    for (const type of ['application/json ; charset=utf-8', 'application/json;', 'Application/JSON; charset="utf-8"']) {
      const { json } = await world.call('POST', '/builds/trigger', '{"ref":7}', { 'content-type': type });
      expect([type, json.code]).toEqual([type, 'invalid_request']);
    }
    const invalid = await fetch(`${world.url}/builds/trigger`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Uint8Array([0x7b, 0xff, 0x7d]),
    });
    expect(invalid.status).toBe(400);
  });

  it('of no length is taken where a route asks for no body, though not from a page of another site', async () => {
    const { paths } = (await world.call('GET', '/openapi.json')).json;
    const posts = Object.entries<Record<string, Operation>>(paths).flatMap(([path, { post }]) =>
      post ? [{ path: path.replace(/\{\w+\}/, idIn(path)), post }] : [],
    );
    const bare = posts.filter(({ post }) => !post.requestBody?.required);
    expect(bare.map(({ path }) => path)).toEqual([
      '/builds/7/cancel',
      '/builds/7/retry',
      '/tasks/7/cancel',
      '/tasks/7/retry',
      '/youtube/ingest-async',
      '/dlq/build:7/redrive',
      '/schedules/nothing/pause',
      '/schedules/nothing/resume',
      '/schedules/nothing/trigger',
      `/subscriptions/${NO_SUBSCRIPTION}/disable`,
      `/subscriptions/${NO_SUBSCRIPTION}/enable`,
      `/subscriptions/${NO_SUBSCRIPTION}/test`,
      '/queues/nothing/pause',
      '/queues/nothing/resume',
    ]);
    for (const { path, post } of bare) {
      const statuses = async (...headers: Array<Record<string, string>>) =>
        Promise.all(headers.map(async (header) => (await world.call('POST', path, undefined, header)).status));
      const missing = path.startsWith('/youtube/') ? 400 : 404;
      const kinds = [{}, { 'content-type': 'application/json' }, { 'content-type': 'text/plain' }];
      expect([path, ...(await statuses(...kinds))]).toEqual([path, missing, missing, missing]);
      const pages = [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }];
      expect([path, ...(await statuses(...pages))]).toEqual([path, 403, 403]);
      const form = await world.call('POST', path, 'a=b', { 'content-type': 'application/x-www-form-urlencoded' });
      expect([path, form.status]).toEqual([path, 415]);
      for (const status of [400, 403, 413, 415, missing]) expect(post.responses).toHaveProperty(`${status}`);
    }
    for (const { path, post } of posts) {
      if (!bare.some((other) => other.path === path)) {
        expect([path, (await world.call('POST', path)).status]).toEqual([path, 415]);
        expect(post.responses).toHaveProperty('415');
      }
    }
  });

  it.each(['', 'x'.repeat(256), 'ü'])('as Idempotency-Key (%j) is refused', async (key) => {
    const answer = await new Promise<{ status: number; body: string }>((resolve, reject) => {
      const sent = request(
        `${world.url}/builds/trigger`,
        { method: 'POST', headers: { 'content-type': 'application/json', 'idempotency-key': key } },
        (response) => {
          let body = '';
          response
            .on('data', (chunk) => (body += chunk))
            .on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        },
      );
      sent.on('error', reject).end('{}');
    });
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([400, 'invalid_idempotency_key']);
  });

  it.each([
    '/builds/0',
    '/builds/-1',
    '/builds/x',
    '/builds/1.5',
    '/builds/99999999999999999999',
    '/builds/1%00',
    '/builds/x/events',
    '/builds?limit=0',
    '/builds?limit=1e9',
    '/builds?status=x',
    '/builds?since=yesterday',
    '/builds?cursor=zzz',
    '/builds?nope=1',
    '/builds?ref=%00',
  ])('in the URL %s is refused', async (path) => {
    const { status, json } = await world.call('GET', path);
    expect([status, json.code]).toEqual([400, 'invalid_request']);
  });

  it.each(['/builds/12345', '/builds/12345/events', '/nothing', '/docs/../package.json', '/docs/package.json'])(
    '%s is not found',
    async (path) => {
      const { status, json } = await world.call('GET', path);
      expect([status, json?.code]).toEqual([404, 'not_found']);
    },
  );

  it('by a foreign host name is refused (DNS rebinding), as the description of every route says', async () => {
    for (const { method, path, responses } of await operations(world)) {
      // A forge comes by whatever name a tunnel has, and signs.
      if (path.startsWith('/webhooks/')) continue;
      const status = await new Promise((resolve, reject) => {
        request(world.url + path, { method, headers: { host: 'evil.example' } }, (response) =>
          resolve(response.resume().statusCode),
        )
          .on('error', reject)
          .end();
      });
      expect([method, path, status]).toEqual([method, path, 403]);
      expect(responses, `${method} ${path}`).toHaveProperty('403');
    }
  });
});

describe('requests without a key, where there are keys', () => {
  it('are refused as the description says, of every route but those of probes and the root', async () => {
    const world = await openWorld('server', { API_KEYS: 'me=a-secret-of-the-test' });
    onTestFinished(() => world.close());
    await eventually(async () => expect((await world.call('GET', '/health/ready')).status).toBe(200));
    for (const { method, path, responses } of await operations(world, {
      authorization: 'Bearer a-secret-of-the-test',
    })) {
      const { status } = await world.call(method, path);
      const expected = /^\/(health|$)/.test(path) ? 200 : path.startsWith('/webhooks/') ? expect.any(Number) : 401;
      expect([method, path, status]).toEqual([method, path, expected]);
      expect(Object.keys(responses), `${method} ${path}`).toContain(String(status));
    }
  });
});

/** Every operation that the description has. */
async function operations(world: World, headers: Record<string, string> = {}) {
  const { paths } = (await world.call('GET', '/openapi.json', undefined, headers)).json;
  return Object.entries(paths as Record<string, Record<string, Operation>>).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, ...operation })),
  );
}

/** Posts a body in chunks, without Content-Length; the status. */
function chunked(url: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method: 'POST', headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' } },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    sent.on('error', reject);
    for (let at = 0; at < body.length; at += 65_536) sent.write(body.slice(at, at + 65_536));
    sent.end();
  });
}
