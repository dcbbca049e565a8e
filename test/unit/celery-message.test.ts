import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/contracts/budgets.ts';
import type { Delivery } from '../../src/contracts/celery/celery.ts';
import { idOf, readTaskMessage } from '../../src/domain/celery/celery-message.ts';
import { bodyText } from '../../src/domain/celery/message-body.ts';
import { Refused } from '../../src/domain/celery/refused.ts';
import { captured, captures, deliveries, delivery } from './celery-captures.ts';

const read = (message: Delivery) => readTaskMessage(message, bodyText(message));
const first = (path: string) => read(deliveries(path)[0]!.delivery);
const json = (body: unknown, given: Partial<Delivery> = {}) =>
  delivery({ body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), ...given });

function refusal(message: Delivery): string {
  try {
    read(message);
  } catch (error) {
    if (error instanceof Refused) return error.refusal.code;
    throw error;
  }
  return 'read';
}

const PROTOCOLS = ['protocol1', 'protocol2', 'protocol2-rpc'];
const ALL = PROTOCOLS.flatMap(captures);
/** What of Celery's own messages is refused, and why. */
const REFUSED: Record<string, string> = {
  'serializer-pickle': 'unsupported_content_type',
};

describe("Celery's own messages", () => {
  it.each(ALL)('%s', (path) => {
    const name = path.replace(/^.*\/|\.json$/g, '');
    for (const { delivery: message, captured: capture } of deliveries(path)) {
      expect(refusal(message)).toBe(REFUSED[name] ?? 'read');
      expect(idOf(message, capture.body_text ?? undefined)).toBe(
        name === 'serializer-pickle' && path.startsWith('protocol1/')
          ? null
          : name === 'compression-gzip' && path.startsWith('protocol1/')
            ? null
            : capture.properties.correlation_id,
      );
      if (REFUSED[name]) continue;
      const task = read(message);
      // Celery's correlation id is the task id, told on another way than the one we read.
      expect(task.task_id).toBe(capture.properties.correlation_id);
      expect(task.reply_to).toBe(capture.properties.reply_to);
      expect(task.task).toMatch(/^tasks\.(add|echo|not_known)/);
      if (capture.body_text === null || name === 'kombu-json-special-types') continue;
      const [args, kwargs] = path.startsWith('protocol1/') ? [capture.body.args, capture.body.kwargs] : capture.body;
      expect([task.args, task.kwargs]).toEqual([args, kwargs]);
    }
  });

  it.each(PROTOCOLS)('%s: options are read', (protocol) => {
    const v2 = protocol !== 'protocol1';
    const option = (name: string) => first(`${protocol}/${name}.json`);
    expect(option('plain')).toMatchObject({ args: [1, 2], kwargs: {}, eta: null, expires: null, priority: null });
    expect(option('compression-gzip').args).toHaveLength(2);
    expect(option('eta-utc').eta).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(option('eta-naive').eta).toBe('2027-01-02T03:04:05.000Z');
    expect(option('expires-datetime').expires).toBe('2026-12-20T00:00:00.000Z');
    expect(option('time-limits')).toMatchObject({ time_limit_s: 100, soft_time_limit_s: 30 });
    expect(option('priority').priority).toBe(7);
    expect(option('custom-task-id').task_id).toBe('custom-id-1');
    expect(option('ignore_result').ignore_result).toBe(v2);
    expect(option('group').group_id).toMatch(/^[0-9a-f-]{36}$/);
    expect(option('kwargs-unicode')).toMatchObject({
      args: ['a', 'héllo ✓'],
      kwargs: { limit: 5, nested: { a: [1, null, true] } },
    });
    expect(option('kombu-json-special-types').args).toEqual([
      '2026-01-02T03:04:05+00:00',
      '2026-01-02',
      '1.50',
      '12345678-1234-5678-1234-567812345678',
      'bytes',
    ]);
    const { callbacks, errbacks } = option('link-and-errback').follow_ups;
    expect(callbacks.map(({ task, args, immutable }) => [task, args, immutable])).toEqual([
      ['tasks.add', [10], false],
      ['tasks.echo', ['immutable'], true],
    ]);
    expect(errbacks.map(({ task }) => task)).toEqual(['tasks.on_error']);
    const chain = option('chain').follow_ups;
    expect(v2 ? chain.chain.map(({ task }) => task) : chain.callbacks.map(({ task }) => task)).toEqual(
      v2 ? ['tasks.echo', 'tasks.add'] : ['tasks.add'],
    );
    if (!v2) expect(chain.callbacks[0]!.options.link.map(({ task }) => task)).toEqual(['tasks.echo']);
  });
});

describe('simple messages', () => {
  it.each(
    (
      captured('simple-json.json') as Array<{
        case: string;
        body: string;
        content_type: string | null;
        headers: object;
      }>
    ).map((capture) => [capture.case, capture] as const),
  )('%s', (name, { body, content_type, headers }) => {
    const message = json(body, { content_type, headers: { ...headers } });
    const expected = { 'text/plain': 'unsupported_content_type', 'not json at all': 'not_json' }[name] ?? 'read';
    expect(refusal(message)).toBe(expected);
    if (expected !== 'read') return;
    expect(read(message).args).toEqual(name === 'no args' ? [] : [1, 2]);
    if (name === 'no id') expect(read(message).task_id).toBeNull();
    else expect(read(message).task_id).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('may say 0 for no time limit of their own', () => {
    const message = json({ id: 'a', task: 'tasks.a', timelimit: [0, 30] });
    expect(read(message)).toMatchObject({ time_limit_s: null, soft_time_limit_s: 30 });
  });

  it('may number their tasks', () => {
    expect(read(json({ id: 42, task: 'tasks.a' })).task_id).toBe('42');
  });
});

const chordOf = (tasks: unknown[], body: unknown) => ({
  ...{ task: 'celery.chord', subtask_type: 'chord' },
  kwargs: { header: { task: 'celery.group', subtask_type: 'group', kwargs: { tasks } }, body, kwargs: {} },
});

describe('what cannot be read', () => {
  const good = { id: 'x', task: 'tasks.a', args: [1] };
  const deep = `{"task":"a","args":${'['.repeat(5_000)}${']'.repeat(5_000)}}`;
  const bomb = deflateSync(Buffer.alloc(64 * 1_048_576, ' '));
  it.each([
    ['a picture', json(good, { content_type: 'image/png' }), 'unsupported_content_type'],
    ['pickle', json(good, { content_type: 'application/x-python-serialize' }), 'unsupported_content_type'],
    ['YAML', json(good, { content_type: 'application/x-yaml' }), 'unsupported_content_type'],
    ['nothing', json(''), 'not_json'],
    ['no object', json('5'), 'not_a_task'],
    ['null', json('null'), 'not_a_task'],
    ['no name', json({ id: 'x', args: [] }), 'not_a_task'],
    ['an empty name', json({ ...good, task: '' }), 'not_a_task'],
    ['arguments that are no list', json({ ...good, args: 'x' }), 'not_a_task'],
    ['named arguments that are no object', json({ ...good, kwargs: [1] }), 'not_a_task'],
    ['an id that is an object', json({ ...good, id: {} }), 'not_a_task'],
    ['no time', json({ ...good, eta: 'soon' }), 'not_a_task'],
    ['endless nesting', json(deep), 'not_a_task'],
    ['a key that JavaScript would lose', json('{"task":"a","kwargs":{"__proto__":1}}'), 'not_a_task'],
    ['a type of nobody', json({ ...good, args: [{ __type__: 'x', __value__: 1 }] }), 'not_a_task'],
    ['a UUID that is none', json({ ...good, args: [{ __type__: 'uuid', __value__: { hex: 'g' } }] }), 'not_a_task'],
    ['protocol 2 without arguments', json({}, { headers: { task: 'tasks.a' } }), 'not_a_task'],
    ['other compression', json(good, { headers: { compression: 'application/x-bz2' } }), 'unsupported_compression'],
    ['a name of the prototype', json(good, { headers: { compression: 'constructor' } }), 'unsupported_compression'],
    ['no zlib', json(good, { headers: { compression: 'application/x-gzip' } }), 'unsupported_compression'],
    ['a bomb', delivery({ body: bomb, headers: { compression: 'application/x-gzip' } }), 'too_large'],
    ['a huge body', json(`"${'x'.repeat(LIMITS.messages.bodyBytes)}"`), 'too_large'],
    ['broken UTF-8', delivery({ body: Buffer.from([0x22, 0xff, 0x22]) }), 'unsupported_encoding'],
    ['an unknown encoding', json(good, { content_encoding: 'klingon' }), 'unsupported_encoding'],
    [
      'a chain of nothing',
      json({ ...good, callbacks: [{ task: 'celery.chain', subtask_type: 'chain' }] }),
      'not_a_task',
    ],
    ['a chord that is a number', json({ ...good, chord: 7 }), 'not_a_task'],
    [
      'a chord of more than can be published',
      json({
        ...good,
        callbacks: [chordOf(Array(5_000).fill({ task: 'a' }), { task: 'b', args: ['x'.repeat(20_000)] })],
      }),
      'too_large',
    ],
  ])('%s is refused', (_, message, code) => {
    expect(bomb.byteLength).toBeLessThan(LIMITS.messages.bodyBytes);
    expect(refusal(message)).toBe(code);
  });

  it('never ends in another error, whatever comes', () => {
    const header = fc.dictionary(
      fc.constantFrom('task', 'id', 'eta', 'expires', 'timelimit', 'compression'),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(
        fc.oneof(fc.json(), fc.string()),
        header,
        fc.uint8Array(),
        fc.boolean(),
        (text, headers, bytes, binary) => {
          refusal(delivery({ body: binary ? bytes : Buffer.from(text), headers }));
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('whatever is sent', () => {
  const PACKED: Array<[string, Partial<Delivery>, (bytes: Buffer) => Buffer]> = [
    ['as it is', {}, (bytes) => bytes],
    ["compressed as Celery's gzip, which is zlib", { headers: { compression: 'application/x-gzip' } }, deflateSync],
    ['compressed with gzip', { headers: { compression: 'application/x-gzip' } }, gzipSync],
    ['compressed with brotli', { headers: { compression: 'application/x-brotli' } }, brotliCompressSync],
    ['compressed with zstd', { headers: { compression: 'application/zstd' } }, zstdCompressSync],
    ['in base64', { content_encoding: 'base64' }, (bytes) => Buffer.from(bytes.toString('base64'))],
    ['as binary', { content_encoding: 'binary', content_type: 'application/json; charset=utf-8' }, (bytes) => bytes],
  ];
  const argument = fc.jsonValue({ maxDepth: 4 }).filter((value) => !/__(type|proto)__/.test(JSON.stringify(value)));
  const asked = fc.record({
    id: fc.uuid(),
    args: fc.array(argument, { maxLength: 4 }),
    kwargs: fc.dictionary(
      fc.string().filter((name) => name !== '__proto__'),
      argument,
      { maxKeys: 4 },
    ),
  });

  it.each(PACKED)('%s, arrives', (_, given, pack) => {
    fc.assert(
      fc.property(asked, ({ id, args, kwargs }) => {
        const expected = JSON.parse(JSON.stringify({ task_id: id, task: 'tasks.a', args, kwargs }));
        const protocol1 = Buffer.from(JSON.stringify({ task: 'tasks.a', id, args, kwargs }));
        const protocol2 = Buffer.from(JSON.stringify([args, kwargs, { callbacks: null, chain: null }]));
        const headers = { ...given.headers, task: 'tasks.a', id };
        expect(read(delivery({ ...given, body: pack(protocol1) }))).toMatchObject(expected);
        expect(read(delivery({ ...given, headers, body: pack(protocol2) }))).toMatchObject(expected);
      }),
      { numRuns: 50 },
    );
  });
});
