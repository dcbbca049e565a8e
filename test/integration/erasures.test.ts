import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { erasureAnswer, erasureDryRun } from '../../src/contracts/erasures/erasure.ts';
import { noteKeyOf } from '../../src/domain/record/signed-note.ts';
import { PermanentTaskError } from '../../src/domain/tasks/task-error.ts';
import { saveDeadMessage } from '../../src/store/celery/dead-message-save.ts';
import { person } from '../world/command-line.ts';
import { dump } from '../world/dump.ts';
import { eventually } from '../world/eventually.ts';
import { openReceiver, type Receiver } from '../world/receiver.ts';
import { openWorld, type World } from '../world/world.ts';
import { hapax } from './told-builds.ts';

const JANE = 'jane.doe@example.com';
const PATIENCE_MS = 450_000;

describe('an erasure', () => {
  let world: World;
  let receiver: Receiver;
  let directory: string;
  let connection: Connection;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'hapax-erasures-'));
    receiver = await openReceiver();
    world = await openWorld(
      'server',
      {
        CALLBACK_ALLOWED_HOSTS: 'localhost,127.0.0.1',
        DEDUP_WINDOW: '0',
        CHECKPOINT_KEY: noteKeyOf('hapax.test/log', randomBytes(32)),
      },
      {
        async semantic_search({ query }: { query: string }) {
          if (query.includes('fails'))
            throw new PermanentTaskError({ type: 'NoIndex', message: `no index for ${query}` });
          return { query, results: [] };
        },
      } as never,
    );
    connection = await Connection.connect({ address: inject('temporalAddress') });
  });
  afterAll(async () => {
    await connection?.close();
    await world?.close();
    await receiver?.close();
    await rm(directory, { recursive: true, force: true });
  });

  const send = async (query: string, more: object = {}) => {
    const { json } = await world.call('POST', '/tasks', { name: 'semantic_search', kwargs: { query }, ...more });
    await world.call('GET', `/tasks/${json.task_id}?wait=60`);
    return json.task_id as string;
  };
  const erase = async (body: object) => erasureAnswer.parse((await world.call('POST', '/erasures', body)).json);
  /** Erases a task once its workflow has closed, a moment after its end. */
  const erased = (id: string) =>
    eventually(async () => expect((await erase({ ids: [`task:${id}`] })).done).toEqual([`task:${id}`]));
  const verify = (...args: string[]) => hapax(['audit', 'verify', ...args], { DATABASE_URL: world.databaseUrl });
  /** What somebody reads who may read everything in Temporal. */
  async function histories(): Promise<string> {
    const { workflowService } = connection;
    const { namespace } = world;
    const { api } = proto.temporal;
    const listed = await workflowService.listWorkflowExecutions({ namespace });
    const seen = [api.workflowservice.v1.ListWorkflowExecutionsResponse.encode(listed).finish()];
    for (const { execution } of listed.executions) {
      const { history } = await workflowService.getWorkflowExecutionHistory({ namespace, execution: execution! });
      seen.push(api.history.v1.History.encode(history!).finish());
    }
    return seen.map((bytes) => Buffer.from(bytes).toString('latin1')).join('\n');
  }

  it('leaves nothing of a person in the database and in Temporal, and an audit and a kept checkpoint that hold', async () => {
    const callback_url = `${receiver.url}&of=${JANE}`;
    const ids = [await send(`about ${JANE}`, { callback_url }), await send(`fails for ${JANE}`)];
    const other = await send('about nobody');
    const { id: build } = (await world.trigger({ inputs: { note: JANE } })).json;
    await world.ended(build);
    await eventually(() => expect(receiver.received.length).toBeGreaterThanOrEqual(1));
    await world.client.schedule.getHandle('hapax-checkpoint').trigger();
    const checkpoint = await eventually(async () => {
      const { status, text } = await world.call('GET', '/audit/checkpoint');
      expect(status).toBe(200);
      expect(Number(text.split('\n')[1])).toBeGreaterThan(10);
      return text;
    });
    const file = join(directory, 'checkpoint.txt');
    await writeFile(file, checkpoint);
    expect([await dump(world.db), await histories()].every((text) => text.includes(JANE))).toBe(true);

    const dry = erasureDryRun.parse((await world.call('POST', '/erasures', { text: JANE, dry_run: true })).json);
    expect(dry.count).toBe(3);
    const me = person({ HAPAX_URL: world.url });
    const said = await me.hapax(['erase', '--text', JANE, '--dry-run']);
    expect(said.stdout).toMatch(/^(?:(?:task|build):\S+\n){3}the data of 3 things would be erased\n$/);
    expect(await me.hapax(['erase', '--text', JANE])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--yes'),
    });
    await rm(me.home, { recursive: true, force: true });
    expect(await dump(world.db)).toContain(JANE);
    const expected = [`build:${build}`, ...ids.map((id) => `task:${id}`)].toSorted();
    // The workflow of a build closes a moment after its end.
    const done = new Set<string>();
    await eventually(async () => {
      const answer = await erase({ text: JANE.toUpperCase() });
      for (const id of answer.done) done.add(id);
      expect(answer.refused).toEqual([]);
    });
    expect([...done].toSorted()).toEqual(expected);

    expect(await dump(world.db)).not.toContain(JANE);
    await eventually(async () => expect(await histories()).not.toContain(JANE));
    expect(await verify('--checkpoint', file)).toMatchObject({ code: 0, stderr: '' });
    expect((await verify('--checkpoint', file)).stdout).toMatch(/are those of the checkpoint\n.*sound/);
    const { json: told } = await world.call('GET', `/tasks/${ids[0]}`);
    expect(told).toMatchObject({ status: 'SUCCESS', kwargs: {}, result: null, erased_at: expect.any(String) });
    const { json: events } = await world.call('GET', `/tasks/${ids[0]}/events`);
    expect(events.at(-1)).toMatchObject({ event_type: 'task_erased', event_data: { by: 'local' } });
    expect(events[0].sealed).toMatchObject({ salt: null });
    expect((await world.call('GET', `/tasks/${other}`)).json).toMatchObject({ result: { query: 'about nobody' } });
    expect((await hapax(['verify', `task:${ids[0]}`], { HAPAX_URL: world.url })).stdout).toMatch(/: valid, /);
  });

  it('lets a video be ingested again of which only the content was erased, and repeats by key what it said before', async () => {
    const video = { name: 'ingest_youtube', kwargs: { url: 'aaaaaaaaaa1', transcript_text: 'The moon pulls.' } };
    const path = '/api/v1/content/yt:aaaaaaaaaa1';
    const ingest = async (headers = {}) => {
      const { task_id } = (await world.call('POST', '/tasks', video, headers)).json;
      expect((await world.call('GET', `/tasks/${task_id}?wait=60`)).json).toMatchObject({ status: 'SUCCESS' });
      return task_id;
    };
    const first = await ingest({ 'idempotency-key': 'the moon' });
    expect((await erase({ ids: ['content:yt:aaaaaaaaaa1'] })).done).toHaveLength(1);
    expect((await world.call('GET', path)).status).toBe(404);
    expect(await ingest({ 'idempotency-key': 'the moon' })).toBe(first);
    const second = await ingest();
    expect(second).not.toBe(first);
    expect((await world.call('GET', path)).status).toBe(200);
    expect([first, second]).toContain(await ingest());
    // As if an earlier version of Hapax had brought it in.
    await world.db`DELETE FROM content_sources WHERE content_id = 'yt:aaaaaaaaaa1'`;
    const third = await ingest();
    expect([first, second, third]).toContain(await ingest());
  });

  it('finds a text only in what it would erase: not in a ref, an id or the name of a queue', async () => {
    const word = 'Blåhaj';
    const { id: build } = (await world.trigger({ ref: word })).json;
    await world.ended(build);
    const task = { name: 'semantic_search', kwargs: { query: 'about nobody' }, task_id: `of ${word}` };
    expect((await world.call('POST', '/tasks', task)).status).toBe(202);
    await world.call('GET', `/tasks/${encodeURIComponent(task.task_id)}?wait=60`);
    const id = await send(`a shark named ${word}`);
    const dry = erasureDryRun.parse((await world.call('POST', '/erasures', { text: word, dry_run: true })).json);
    expect(dry).toMatchObject({ count: 1, sample: [`task:${id}`] });
  });

  it('refuses what cannot be done without the arguments, and says so to people', async () => {
    const id = await send('fails once');
    await erased(id);
    const at = /erased on \d{4}-\d\d-\d\d/;
    expect(await world.call('POST', `/tasks/${id}/retry`)).toMatchObject({
      status: 409,
      json: { detail: expect.stringMatching(at) },
    });
    expect(await world.call('POST', `/dlq/task:${id}/redrive`)).toMatchObject({ status: 409 });
    const again = { name: 'semantic_search', kwargs: { query: 'fails once' }, task_id: id };
    expect(await world.call('POST', '/tasks', again)).toMatchObject({ status: 409, json: { code: 'state_conflict' } });
    const chosen = { ...again, task_id: 'chosen' };
    const post = (body: object) => world.call('POST', '/tasks', body, { 'idempotency-key': 'once' });
    expect((await post(chosen)).status).toBe(202);
    await world.call('GET', '/tasks/chosen?wait=60');
    await erased('chosen');
    for (const body of [chosen, { ...chosen, task_id: 'another' }]) {
      expect(await post(body)).toMatchObject({
        status: 409,
        json: { detail: expect.stringMatching(/^task:chosen was/) },
      });
    }
    const page = await (await fetch(`${world.url}/console/tasks/${id}`)).text();
    expect(page).toContain('Erased on');
    const { json: shown } = await world.call('GET', `/api/task/info/${id}`);
    expect([shown.args, shown.kwargs]).toEqual([expect.stringMatching(at), expect.stringMatching(at)]);
  });

  it('leaves the workflows of other builds, which equal requests made, even a running one', async () => {
    const request = { ref: 'equal', inputs: { simulate: 'stuck' } };
    const trigger = async (): Promise<number> => (await world.trigger(request)).json.id;
    const cancelled = async () => {
      const id = await trigger();
      await world.call('POST', `/builds/${id}/cancel`, {});
      const { events } = await world.ended(id);
      const workflowId = String(events[0]!.event_data!.workflow_id);
      // Until it has closed, an equal request may get the same build.
      await world.client.workflow.getHandle(workflowId).result();
      return { id, workflowId };
    };
    const [{ id: first, workflowId }, { id: second }] = [await cancelled(), await cancelled()];
    const left = async () => {
      const runs = [];
      for await (const run of world.client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) runs.push(run);
      return runs.map(({ memo, status }) => [memo!.build_id, status.name]).sort();
    };
    const eraseBuild = (id: number) =>
      eventually(async () => expect(await erase({ ids: [`build:${id}`] })).toMatchObject({ done: [`build:${id}`] }));
    await eventually(async () => expect(await left()).toHaveLength(2));
    await eraseBuild(first);
    await eventually(async () => expect(await left()).toEqual([[second, 'COMPLETED']]));
    const running = await trigger();
    await eraseBuild(second);
    await eventually(async () => expect(await left()).toEqual([[running, 'RUNNING']]));
    await world.call('POST', `/builds/${running}/cancel`, {});
    await world.ended(running);
  });

  it('refuses what has not ended and what is not there, and changes nothing the second time', async () => {
    const { id: open } = (await world.trigger({ ref: 'stays-open', inputs: { simulate: 'stuck' } })).json;
    const past = await send('about the past');
    const { refused, done } = await erase({ ids: [`build:${open}`, 'task:none'] });
    expect([done, refused.map(({ detail }) => detail).toSorted()]).toEqual([
      [],
      [expect.stringContaining('has not ended'), expect.stringContaining('there is no task none')],
    ]);
    await world.call('POST', `/builds/${open}/cancel`, {});
    await world.ended(open);
    await erased(past);
    const events = async () => (await world.call('GET', `/tasks/${past}`)).json.events;
    const afterTheFirst = await events();
    expect((await erase({ ids: [`task:${past}`] })).done).toEqual([`task:${past}`]);
    expect(await events()).toEqual(afterTheFirst);
    expect((await world.call('POST', '/erasures', {})).status).toBe(400);
    expect((await world.call('POST', '/erasures', { text: 'long', caller: 'me' })).status).toBe(400);
  });

  it('is finished by the next one where the API is killed in the middle', { timeout: 2 * PATIENCE_MS }, async () => {
    const ids = await Promise.all(Array.from({ length: 40 }, (_, n) => send(`number ${n} of Bob Moritz`)));
    const api = person({
      DATABASE_URL: world.databaseUrl,
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      TEMPORAL_NAMESPACE: world.namespace,
      GITHUB_REPO: 'acme/images',
      GITHUB_TOKEN: 'test-token',
      PORT: '0',
      LOG_LEVEL: 'info',
    });
    const child = api.start(['serve', 'api']);
    let log = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      log += chunk;
    });
    const exited = once(child, 'exit');
    try {
      const url = await eventually(() => {
        const found = /"url":"([^"]+)","msg":"api is up"/.exec(log)?.[1];
        expect(found, log).toBeDefined();
        return found!;
      });
      const erasedSoFar = async () => {
        const [row] = await world.db<[{ n: number }]>`
        SELECT count(*)::int AS n FROM tasks WHERE erased_at IS NOT NULL AND id IN ${world.db(ids)}`;
        return row.n;
      };
      const asked = fetch(`${url}/erasures`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ text: 'Bob Moritz' }),
      }).catch((error: Error) => error);
      await eventually(async () => expect(await erasedSoFar()).toBeGreaterThan(0));
      child.kill('SIGKILL');
      await Promise.all([exited, asked]);
      const half = await erasedSoFar();
      expect(half).toBeGreaterThan(0);
      // Each is erased or whole.
      expect(await verify()).toMatchObject({ code: 0, stderr: '' });
      const { done, refused } = await erase({ text: 'Bob Moritz' });
      expect([done.length, refused]).toEqual([40 - half, []]);
      expect(await dump(world.db)).not.toContain('Bob Moritz');
      // Temporal deletes in its own time, with pauses that grow on a busy machine.
      await eventually(async () => expect(await histories()).not.toContain('Bob Moritz'), PATIENCE_MS);
      expect(await verify()).toMatchObject({ code: 0, stderr: '' });
    } finally {
      child.kill('SIGKILL');
      await exited;
      await rm(api.home, { recursive: true, force: true });
    }
  });
});

describe('hapax erase', () => {
  it('erases what a caller asked for, and messages, once somebody says yes', async () => {
    const world = await openWorld(
      'server',
      { API_KEYS: 'jane=the-secret-of-jane,other=the-secret-of-others', DEDUP_WINDOW: '0' },
      {
        semantic_search: async ({ query }: { query: string }) => ({ query, results: [] }),
      } as never,
    );
    const operator = person({ HAPAX_URL: world.url, HAPAX_API_KEY: 'the-secret-of-others' });
    try {
      const send = async (key: string) => {
        const headers = { authorization: `Bearer ${key}` };
        const body = { name: 'semantic_search', kwargs: { query: `by ${key}` } };
        const { task_id } = (await world.call('POST', '/tasks', body, headers)).json;
        await world.call('GET', `/tasks/${task_id}?wait=60`, undefined, headers);
        return task_id as string;
      };
      const [hers, others] = [await send('the-secret-of-jane'), await send('the-secret-of-others')];
      const message = {
        id: 'm1',
        queue: 'content',
        reason: 'unknown_task',
        detail: 'there is no task',
        task_id: null,
        task: null,
      };
      const body = Buffer.from(JSON.stringify({ about: 'Jane Doe' })).toString('base64');
      await saveDeadMessage(world.db, { ...message, publication: '{}', body });

      const asks = ['erase', '--caller', 'jane'];
      expect(await operator.hapax([...asks, '--dry-run'])).toMatchObject({
        code: 0,
        stdout: `task:${hers}\nthe data of 1 thing would be erased\n`,
      });
      // The workflow of a task closes a moment after its end.
      await eventually(async () =>
        expect(await operator.hapax([...asks, '--yes'])).toMatchObject({ code: 0, stdout: '1 erased, 0 refused\n' }),
      );
      expect(await operator.hapax([...asks, '--yes'])).toMatchObject({
        code: 0,
        stdout: '0 erased, 0 refused\n',
      });
      expect(await operator.hapax(['erase', '--text', 'Jane Doe', '--yes'])).toMatchObject({
        code: 0,
        stdout: '1 erased, 0 refused\n',
      });
      const all = await dump(world.db);
      expect(['by the-secret-of-jane', body].filter((text) => all.includes(text))).toEqual([]);
      expect(all).toContain('by the-secret-of-others');
      expect(await operator.hapax(['erase', 'task:none', `task:${others}`, '--yes'])).toMatchObject({
        code: 1,
        stdout: '1 erased, 1 refused\n',
        stderr: expect.stringContaining('task:none was refused: there is no task none'),
      });
    } finally {
      operator.remove();
      await world.close();
    }
  });
});

describe('what is kept only for a time', () => {
  let world: World;
  let home: string;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'hapax-retention-'));
    const handlers = { semantic_search: async ({ query }: { query: string }) => ({ query, results: [] }) };
    const kept = { KEEP_ARGUMENTS_FOR: '1s', KEEP_CONTENT_FOR: '1s', DEDUP_WINDOW: '0', HAPAX_HOME: home };
    world = await openWorld('server', kept, handlers as never);
  });
  afterAll(async () => {
    await world?.close();
    await rm(home, { recursive: true, force: true });
  });

  it('is erased by the sweep, with its documents, and what has not ended stays', async () => {
    const { task_id } = (await world.call('POST', '/tasks', { name: 'semantic_search', kwargs: { query: JANE } })).json;
    const { id: open } = (await world.trigger({ inputs: { note: 'stays open', simulate: 'stuck' } })).json;
    const video = { url: 'https://youtu.be/dQw4w9WgXcQ', transcript_text: `A talk with ${JANE} about tides.` };
    const ingested = (await world.call('POST', '/tasks', { name: 'ingest_youtube', kwargs: video })).json.task_id;
    await world.call('GET', `/tasks/${task_id}?wait=60`);
    expect((await world.call('GET', `/tasks/${ingested}?wait=60`)).json).toMatchObject({ status: 'SUCCESS' });
    const documents = () => readdir(join(home, 'blobs/sources'));
    expect(await documents()).toHaveLength(1);
    await eventually(async () => {
      await world.client.schedule.getHandle('hapax-sweep-expired').trigger();
      const { json } = await world.call('GET', `/tasks/${task_id}`);
      expect(json).toMatchObject({ erased_at: expect.any(String), kwargs: {} });
      expect(await documents()).toEqual([]);
      expect(await dump(world.db)).not.toContain(JANE);
    });
    expect((await world.call('GET', '/api/v1/content/yt:dQw4w9WgXcQ')).status).toBe(404);
    const { json } = await world.call('GET', '/events?kinds=erasure');
    expect(json.events).toMatchObject([{ event_data: { what: 'content', by: 'retention' } }]);
    expect((await world.call('GET', `/builds/${open}`)).json).toMatchObject({ inputs: { note: 'stays open' } });
    expect(await hapax(['audit', 'verify'], { DATABASE_URL: world.databaseUrl })).toMatchObject({
      code: 0,
      stderr: '',
    });
    // The video may be brought in again.
    const again = (await world.call('POST', '/tasks', { name: 'ingest_youtube', kwargs: video })).json.task_id;
    expect((await world.call('GET', `/tasks/${again}?wait=60`)).json).toMatchObject({ status: 'SUCCESS' });
  });
});
