import { openApiDocument } from '../../scripts/generate-docs.ts';
import { LIMITS } from '../../src/contracts/budgets.ts';
import { seeded } from '../world/seeded.ts';

/** A request that nobody means well with. */
export interface Attack {
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

export async function attacks(): Promise<Attack[]> {
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
