import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskHandlers } from '../../src/activities/task-handlers.ts';
import { PermanentTaskError } from '../../src/domain/tasks/task-error.ts';
import { eventually } from '../world/eventually.ts';
import { openReceiver } from '../world/receiver.ts';
import { openWorld, type World } from '../world/world.ts';

const handlers: Partial<TaskHandlers> = {
  semantic_search: async ({ query, limit }) => {
    if (query === 'fail') throw new PermanentTaskError({ type: 'ValueError', message: 'boom' });
    return { query, results: [], limit };
  },
};

/** Ids as clients of Celery choose them. */
const IDS = [
  'video/2026/11',
  '/leading and trailing /',
  ' spaces ',
  'prüfung-日本語-😀',
  '100%',
  '%2F',
  'a+b&c=d?e#f;g',
  'it\'s "quoted"',
  'two\nlines\u2028here',
  '.',
  '..',
  'a/../b',
  '__proto__',
  '42',
  'Same',
  'same',
  'ü'.repeat(127),
];

describe('a task id that a client chooses', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld('embedded', { CALLBACK_ALLOWED_HOSTS: '127.0.0.1', FLOWER_PORT: '0' }, handlers);
  });
  afterAll(() => world.close());

  /** Sends a path as it is: `fetch` would take dots out of it. */
  function send(method: string, path: string, body?: object, base = world.url) {
    const headers = { 'content-type': 'application/json', host: new URL(base).host };
    const { hostname, port } = new URL(base);
    // biome-ignore lint/suspicious/noExplicitAny: whatever is answered.
    return new Promise<{ status: number; headers: Record<string, unknown>; text: string; json: any }>(
      (resolve, reject) => {
        const sent = request({ method, path, hostname, port, headers }, (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk) => {
            text += chunk;
          });
          response.on('end', () => {
            const isJson = /json/.test(String(response.headers['content-type']));
            resolve({
              status: response.statusCode!,
              headers: response.headers,
              text,
              json: isJson ? JSON.parse(text) : null,
            });
          });
        });
        sent.on('error', reject);
        sent.end(body && JSON.stringify(body));
      },
    );
  }

  it.each(IDS)('%j is that of its task everywhere', async (id) => {
    const path = encodeURIComponent(id);
    const created = await send('POST', '/tasks', { name: 'semantic_search', args: [`q ${id}`], task_id: id });
    expect([created.status, created.json.task_id]).toEqual([202, id]);
    expect(created.headers.location).toBe(`/tasks/${path}`);
    const again = await send('POST', '/api/task/async-apply/tasks.semantic_search', { args: [`q ${id}`], task_id: id });
    expect([again.status, again.json['task-id']]).toEqual([200, id]);
    await eventually(async () => expect((await send('GET', `/tasks/${path}`)).json.status).toBe('SUCCESS'));
    const events = await send('GET', `/tasks/${path}/events`);
    expect(events.text).toContain('task_succeeded');
    for (const base of [world.url, world.flowerUrl!]) {
      const info = await send('GET', `/api/task/info/${path}`, undefined, base);
      expect([info.status, info.json?.uuid]).toEqual([200, id]);
      expect((await send('GET', `/api/task/result/${path}`, undefined, base)).json).toMatchObject({
        'task-id': id,
        state: 'SUCCESS',
        result: { query: `q ${id}` },
      });
    }
    expect((await send('POST', `/api/task/revoke/${path}`)).json).toEqual({ message: `Revoked '${id}'` });
    expect((await send('POST', `/tasks/${path}/cancel`, {})).status).toBe(409);
  });

  it('is written plainly by Flower where it has slashes', async () => {
    expect((await send('GET', '/api/task/info/video/2026/11')).json.uuid).toBe('video/2026/11');
  });

  it('keeps the order of lists, whatever it is', async () => {
    const ids = ['9', '10', 'b', '1', '__proto__ too'];
    for (const task_id of ids) await send('POST', '/tasks', { name: 'semantic_search', args: ['order'], task_id });
    const { text } = await send('GET', '/api/tasks?search=args:order&limit=5');
    expect([...text.matchAll(/"uuid": "([^"]*)"/g)].map(([, id]) => id)).toEqual(ids.toReversed());
    const keys = [...text.matchAll(/"([^"]*)": \{"uuid"/g)].map(([, id]) => id);
    expect(keys).toEqual(ids.toReversed());
    const quoted = await send('GET', `/api/tasks?search=${encodeURIComponent('args:"q  spaces "')}`);
    expect(Object.keys(quoted.json)).toEqual([' spaces ']);
  });

  it('pages and redrives where its task failed', async () => {
    const receiver = await openReceiver();
    const ids = ['failed/1 ', 'failed %', '..failed\n', '\u0001'.repeat(255)];
    for (const task_id of ids) {
      const asked = { name: 'semantic_search', args: ['fail'], task_id, callback_url: receiver.url };
      expect((await send('POST', '/tasks', asked)).status).toBe(202);
    }
    await eventually(() =>
      expect(receiver.received.map(({ body }) => JSON.parse(body).data.task_id).sort()).toEqual(ids.toSorted()),
    );
    const listed: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: { dead_letters: Array<{ id: string }>; next_cursor: string | null } = (
        await send('GET', `/dlq?limit=1${cursor && `&cursor=${cursor}`}`)
      ).json;
      listed.push(...page.dead_letters.map(({ id }) => id));
      cursor = page.next_cursor;
    }
    expect(listed.sort()).toEqual(ids.map((id) => `task:${id}`).sort());
    const path = `/dlq/${encodeURIComponent('task:failed/1 ')}`;
    expect((await send('GET', path)).json.task.task_id).toBe('failed/1 ');
    expect((await send('POST', `${path}/redrive`)).status).toBe(202);
    await receiver.close();
  });

  it.each(['', 'a\u0000b', 'ü'.repeat(128), '\ud800'])('%j is refused with the reason', async (task_id) => {
    const native = await send('POST', '/tasks', { name: 'semantic_search', args: ['a'], task_id });
    expect([native.status, native.json.errors[0].path]).toEqual([400, 'body.task_id']);
    // To Celery nothing is no id.
    const flower = await send('POST', '/api/task/async-apply/tasks.semantic_search', { args: ['a'], task_id });
    if (task_id === '') expect(flower.status).toBe(200);
    else expect([flower.status, flower.text]).toEqual([400, expect.stringMatching(/task_id: (must|holds) /)]);
    if (!task_id.includes('\u0000')) return;
    const path = encodeURIComponent(task_id);
    expect((await send('GET', `/tasks/${path}`)).status).toBe(400);
    expect((await send('GET', `/api/task/info/${path}`)).status).toBe(404);
    expect((await send('GET', `/api/task/result/${path}`)).json.state).toBe('PENDING');
    expect((await send('GET', `/api/task/result/${path}?timeout=1`)).json.state).toBe('PENDING');
    expect((await send('POST', `/api/task/revoke/${path}`)).status).toBe(200);
    expect((await send('GET', `/api/tasks?search=abc${path}&taskname=${path}&state=${path}`)).text).toBe('{}');
  });
});
