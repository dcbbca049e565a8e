import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApiDocument } from '../../scripts/generate-docs.ts';
import { LIMITS } from '../../src/contracts/budgets.ts';
import { problem } from '../../src/contracts/problem.ts';
import { seeded } from '../world/seeded.ts';
import { openWorld, type World } from '../world/world.ts';

/** A request that nobody means well with. */
interface Attack {
  method: string;
  /** As it is sent, with its query. */
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
}
interface Operation {
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
}
interface Schema {
  $ref?: string;
  properties?: Record<string, Schema>;
}

const DATES = [
  '0000-01-01T00:00:00Z',
  '-0001-01-01T00:00:00Z',
  '10000-01-01T00:00:00Z',
  '+010000-01-01T00:00:00Z',
  '9999-12-31T23:59:59-15:59',
  '0001-01-01T00:00:00+15:59',
  '2026-11-21T10:00:00+16:00',
  '2026-11-21T10:00:00-23:59',
  '2026-11-21T10:00:00+99:99',
  '2026-11-21T24:00:00Z',
  '2016-12-31T23:59:60Z',
  '2026-02-29T00:00:00Z',
  '2024-02-29T00:00:00Z',
  '1970-01-01T00:00:00Z',
  `2026-11-21T10:00:00.${'1'.repeat(1_000)}Z`,
  '253402300800',
  '1e400',
  'now',
  'infinity',
  '-infinity',
  'epoch',
];
const cursor = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const CURSORS = [
  'x',
  '%',
  cursor(['0000-01-01T00:00:00Z', 1]),
  cursor(['9999-12-31T23:59:59Z', 2 ** 53]),
  cursor(['2026-11-21T10:00:00.000Z', 'task:\u0000']),
  cursor(['2026-11-21T10:00:00.000Z', '\ud800']),
  cursor(['2026-11-21T10:00:00.000Z', 1]).slice(0, -3),
  cursor(['2026-11-21T10:00:00.000Z', 'build:1']),
  cursor([[[[]]]]),
  cursor({}),
  'A'.repeat(8_000),
];
/** Percent-encoded, or meant to be no encoding at all. */
const TEXTS = [
  '',
  '%00',
  'a%00b',
  '%2f',
  '%2e%2e',
  '..',
  '.',
  '%ED%A0%80',
  '%C0%AF',
  '%FF',
  '%',
  '%zz',
  '%F0%9F%98%80',
  '%0d%0aX-Evil:1',
  "'%20OR%201=1--",
  '__proto__',
  'constructor',
  'x'.repeat(8_000),
  '%25'.repeat(2_000),
];
const IDS = [
  '0',
  '-1',
  '1.5',
  '01',
  '9007199254740992',
  '9223372036854775807',
  '9223372036854775808',
  '1e400',
  'NaN',
  '0x1',
  'build:0',
  'build:9007199254740993',
  'build:9223372036854775808',
  'task:%00',
  'task:%ED%A0%80',
];
const VALUES = [...DATES.map(encodeURIComponent), ...CURSORS, ...TEXTS, ...IDS];

/** Some of a list, others each time: the whole table would be 25,000 requests. */
const random = seeded(10);
function some<Item>(items: readonly Item[], count: number): Item[] {
  const from = Math.floor(random() * items.length);
  const step = 1 + Math.floor(random() * 3);
  return Array.from(
    { length: Math.min(count, items.length) },
    (_, n) => items[(from + n * step) % items.length] as Item,
  );
}

const JSON_TYPE = { 'content-type': 'application/json' };
const HEADERS: Array<Record<string, string>> = [
  { 'last-event-id': '-1', accept: 'text/event-stream' },
  { 'last-event-id': '99999999999', accept: 'text/event-stream' },
  { 'last-event-id': 'x', accept: 'text/event-stream' },
  { 'last-event-id': '999999999' },
  { accept: '' },
  { accept: 'application/xml;q=0' },
  { accept: `${'a/b,'.repeat(2_000)}` },
  { range: 'bytes=0-' },
  { range: 'bytes=9999999999999999999-1' },
  { 'if-match': '"1' },
  { 'if-match': `"${'1'.repeat(8_000)}"` },
  { 'if-match': '*' },
  { 'if-none-match': '*' },
  { 'idempotency-key': '' },
  { 'idempotency-key': '\u00fc'.repeat(10) },
  { 'idempotency-key': 'k'.repeat(8_000) },
  { authorization: 'Bearer' },
  { authorization: `Basic ${'A'.repeat(8_000)}` },
  { 'content-type': 'application/json; charset=utf-16' },
  { 'content-type': 'text/plain' },
  { 'content-type': 'multipart/form-data; boundary=' },
  { 'content-type': 'application/json;'.repeat(100) },
  { 'x-hub-signature-256': 'sha256=\u00ff' },
  { 'content-encoding': 'gzip' },
  { cookie: 'a=b;'.repeat(2_000) },
  { 'x-long': '\u00e9'.repeat(8_000) },
];
const METHODS = ['HEAD', 'OPTIONS', 'TRACE', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'PURGE', 'QUERY'];

const MIB = LIMITS.requests.bodyBytes;
const filled = (before: string, part: string, after: string) =>
  before + part.repeat(Math.floor((MIB - before.length - after.length) / part.length)) + after;
const BODIES = [
  '',
  '{}',
  '[]',
  'null',
  '"x"',
  '1e400',
  '{"a":1,"a":2}',
  '{"__proto__":{"a":1}}',
  '{"constructor":{"prototype":1}}',
  '{"a":9007199254740993}',
  '{"a":"\\ud800"}',
  '{"\\u0000":1}',
  '{"a":"\u0000"}',
  '{',
  filled('', '[', ''),
  filled('', '[]', ''),
  filled('{"a":', '{"a":', ''),
  filled('[', '1,', '1]'),
  filled('[', '1e308,', '1]'),
  filled('{"args":[', '[],', '[]],"kwargs":{}}'),
  filled('{"args":["', '\\u0041', '"]}'),
  filled('{"name":"', '\\ud83d\\ude00', '"}'),
  filled('{', '"__proto__":1,', '"a":1}'),
  filled('{"inputs":{', '"k":1,', '"z":1}}'),
  `{${Array.from({ length: 60_000 }, (_, n) => `"key${n}":${n}`).join()}}`,
  `{"kwargs":{${Array.from({ length: 60_000 }, (_, n) => `"key${n}":${n}`).join()}}}`,
  `{"yaml":[${filled('', '1,', '1')}]}`.slice(-MIB),
  filled('', ' ', '{}'),
  filled('', 'x', '{}}'),
];

/** What a field of a body is set to. */
const FIELDS = [
  ...DATES,
  ...IDS,
  '\u0000',
  '\ud800',
  'x'.repeat(100_000),
  '../../../etc/passwd',
  'refs/heads/..',
  'http://127.0.0.1:1/',
  'https://[::1]/',
  `https://example.com/${'a'.repeat(3_000)}`,
  -1,
  0,
  1.5,
  2 ** 53,
  1e308,
  true,
  null,
  [],
  {},
  [[[[]]]],
  { a: { b: { c: [] } } },
  Array(10_000).fill('x'),
  Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`k${n}`, n])),
];

const FLOWER = [
  'POST /api/task/apply/tasks.semantic_search',
  'POST /api/task/async-apply/tasks.semantic_search',
  'POST /api/task/send-task/tasks.semantic_search',
  'POST /api/task/send-task/tasks.unknown',
  'POST /api/task/send-task/{id}',
  'GET /api/task/result/{id}',
  'GET /api/task/info/{id}',
  'GET /api/tasks',
  'GET /api/task/types',
  'POST /api/task/revoke/{id}',
  'POST /api/task/abort/{id}',
  'POST /api/task/timeout/{id}',
  'POST /api/task/rate-limit/{id}',
  'GET /api/workers',
  'GET /api/queues/length',
  'POST /api/worker/pool/grow/{id}',
  'POST /api/worker/queue/add-consumer/{id}',
];
const FLOWER_QUERY = ['limit', 'offset', 'sort_by', 'state', 'taskname', 'received_start', 'search', 'timeout'];
const FLOWER_FIELDS = ['args', 'kwargs', 'task_id', 'eta', 'expires', 'countdown', 'priority', 'time_limit'];

async function attacks(): Promise<Attack[]> {
  const { paths, components } = (await openApiDocument()) as {
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, Schema> };
  };
  const ours = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { parameters = [], requestBody }]) => {
      const schema = requestBody?.content['application/json']?.schema;
      const resolved = schema?.$ref ? components.schemas[schema.$ref.split('/').at(-1) as string] : schema;
      const query = parameters.filter((one) => one.in === 'query').map(({ name }) => name);
      return attacksOn(method.toUpperCase(), path, query, requestBody && Object.keys(resolved?.properties ?? {}));
    }),
  );
  const flower = FLOWER.flatMap((route) => {
    const [method = '', path = ''] = route.split(' ');
    return attacksOn(method, path, FLOWER_QUERY, method === 'POST' ? FLOWER_FIELDS : undefined);
  });
  return [...ours, ...flower];
}

function attacksOn(method: string, template: string, query: string[], fields: string[] | undefined): Attack[] {
  const path = template.replaceAll(/\{\w+\}/g, template.startsWith('/dlq') ? 'build:1' : '1');
  const body = method === 'GET' || method === 'DELETE' ? {} : { headers: JSON_TYPE, body: '{}' };
  const inPath = template.includes('{') ? some(VALUES, 20).map((value) => template.replaceAll(/\{\w+\}/g, value)) : [];
  const inQuery = query.flatMap((name) => some(VALUES, 8).map((value) => `${path}?${name}=${value}`));
  const twice = [...query, 'nope'].map((name) => `${path}?${name}=1&${name}=2`);
  return [
    ...[...inPath, ...inQuery, ...twice].map((one) => ({ method, path: one, ...body })),
    ...some(HEADERS, 8).map((headers) => ({ method, path, ...body, headers: { ...body.headers, ...headers } })),
    ...some(METHODS, 4).map((other) => ({ method: other, path })),
    ...(fields ? some(BODIES, 10).map((one) => ({ method, path, headers: JSON_TYPE, body: one })) : []),
    ...(fields ?? []).flatMap((name) =>
      some(FIELDS, 8).map((value) => ({ method, path, headers: JSON_TYPE, body: JSON.stringify({ [name]: value }) })),
    ),
  ];
}

describe('hostile input', () => {
  let world: World;
  let table: Attack[];
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  beforeAll(async () => {
    world = await openWorld('server', { GITHUB_WEBHOOK_SECRET: 'a-secret-of-the-test' });
    await world.trigger({ ref: 'first' });
    table = await attacks();
  });
  afterAll(async () => {
    agent.destroy();
    await world.close();
  });

  /** Sends it, and reads no more than the head of a stream. */
  const send = ({ method, path, headers = {}, body }: Attack) =>
    new Promise<{ status: number; type: string; text: string }>((resolve, reject) => {
      const { hostname, port } = new URL(world.url);
      const sent = request({ hostname, port, method, path, headers, agent }, (response) => {
        const { statusCode: status = 0, headers: answered } = response;
        const type = String(answered['content-type'] ?? '');
        let text = '';
        const end = () => resolve({ status, type, text });
        if (type === 'text/event-stream') {
          response.destroy();
          end();
          return;
        }
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', end).on('error', reject);
      });
      sent.on('error', reject).end(body);
    });

  const isFlower = (path: string) => /^\/api\/(task|tasks|workers|worker|queues)\b/.test(path);

  function faultOf({ method, path }: Attack, { status, type, text }: Awaited<ReturnType<typeof send>>) {
    if (status >= 500) return `${status}: ${text.slice(0, 300)}`;
    if (status < 400 || method === 'HEAD' || isFlower(path)) return undefined;
    if (type !== 'application/problem+json') return `${status} of type ${type}: ${text.slice(0, 300)}`;
    const { data } = problem.safeParse(JSON.parse(text));
    if (data?.status !== status) return `${status} is no problem document: ${text.slice(0, 300)}`;
    return text.length > 20_000 ? `an answer of ${text.length} characters` : undefined;
  }

  it('is refused by a problem document, never by 5xx, and costs less than a second of the process', async () => {
    const faults: string[] = [];
    for (const attack of table) {
      const { user } = process.threadCpuUsage();
      const answer = await send(attack);
      const ms = Math.round((process.threadCpuUsage().user - user) / 1_000);
      const fault = faultOf(attack, answer) ?? (ms > 1_000 ? `took ${ms} ms` : undefined);
      if (!fault) continue;
      const { method, path, headers, body } = attack;
      faults.push(
        `${method} ${path.slice(0, 120)} ${JSON.stringify(headers ?? {}).slice(0, 80)} ${body?.slice(0, 80)}: ${fault}`,
      );
    }
    expect(faults).toEqual([]);
    expect(table.length).toBeGreaterThan(3_000);
  });

  it('leaves less than 100 MB behind after 10,000 requests, and others are answered meanwhile', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const used = () => {
      collect();
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    const small = table.filter(({ body = '' }) => body.length < 10_000);
    const before = used();
    let sent = 0;
    let asked = 0;
    const attacker = async () => {
      while (sent++ < 10_000) await send(small[Math.floor(random() * small.length)] as Attack);
    };
    const other = async () => {
      while (sent < 10_000) {
        expect((await world.call('GET', '/health/live')).status).toBe(200);
        asked++;
      }
    };
    await Promise.all([attacker(), attacker(), attacker(), attacker(), other()]);
    expect(used() - before).toBeLessThan(100_000_000);
    expect(asked).toBeGreaterThan(100);
  });

  it.each([
    ['a URL of 64 KB', `GET /${'a'.repeat(65_536)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`, 431, 'head_too_large'],
    [
      'a header of 64 KB',
      `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nA: ${'a'.repeat(65_536)}\r\n\r\n`,
      431,
      'head_too_large',
    ],
    ['no HTTP', 'hello\r\n\r\n', 400, 'malformed_request'],
    ['bytes', '\u0000\u0001\u0002\u0003\r\n\r\n', 400, 'malformed_request'],
    ['an unknown method', 'FOO / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 400, 'malformed_request'],
    ['another version', 'GET / HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n', 400, 'malformed_request'],
    ['no host', 'GET /builds HTTP/1.1\r\n\r\n', 403, 'forbidden_host'],
    ['a host that is none', 'GET /builds HTTP/1.1\r\nHost: a b\r\n\r\n', 400, 'malformed_request'],
    ['a URL that is none', 'OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 400, 'malformed_request'],
    ['CONNECT', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 405, 'method_not_allowed'],
    ['an expectation', 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: magic\r\n\r\n', 417, 'expectation_failed'],
    [
      'two lengths',
      'POST /tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx',
      400,
      'malformed_request',
    ],
    [
      'a length and chunks',
      'POST /tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'malformed_request',
    ],
  ])('on the wire (%s) is refused with a problem document', async (_, wire, status, code) => {
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const { hostname, port } = new URL(world.url);
      const socket = connect(Number(port), hostname, () => socket.write(Buffer.from(wire, 'latin1')));
      socket.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        socket.end();
      });
      socket.on('close', () => resolve(text)).on('error', reject);
    });
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head.toLowerCase()).toContain('content-type: application/problem+json');
    expect(problem.parse(JSON.parse(body.replace(/^[\da-f]+\r\n/, '').split('\r\n')[0] ?? ''))).toMatchObject({
      status,
      code,
    });
  });
});
