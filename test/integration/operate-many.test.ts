import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { manyBuildsAnswer, manyBuildsDryRun } from '../../src/contracts/builds/many-builds.ts';
import { candidateRunsAnswer } from '../../src/contracts/builds/operator.ts';
import { manyTasksAnswer, manyTasksDryRun } from '../../src/contracts/tasks/many-tasks.ts';
import { PermanentTaskError } from '../../src/domain/tasks/task-error.ts';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';

const SECRET = 'a-secret-of-the-environment';
const OPS = { authorization: `Bearer ${SECRET}` };

describe('many builds and tasks at once', () => {
  let world: World;
  let works = false;
  /** Keys that reach a part. */
  let acme: string;
  let search: string;

  beforeAll(async () => {
    const handlers = {
      async semantic_search({ query }: { query: string }) {
        if (!works) throw new PermanentTaskError({ type: 'NoIndex', message: 'there is no index' });
        return { query, results: [] };
      },
    };
    world = await openWorld('server', { API_KEYS: `ops=${SECRET}` }, handlers as never);
    const rights = ['read', 'operate'];
    const create = async (body: object) => (await post('/keys', { rights, ...body })).json.key;
    acme = await create({ name: 'acme', repositories: ['rival/*'] });
    search = await create({ name: 'search', queues: ['search'] });
  });
  afterAll(() => world.close());

  const post = (path: string, body: object, headers: Record<string, string> = OPS) =>
    world.call('POST', path, body, headers);
  const get = async (path: string) => (await world.call('GET', path, undefined, OPS)).json;
  const as = (key: string) => ({ authorization: `Bearer ${key}` });
  const trigger = async (ref: string, simulate: string) =>
    (await post('/builds/trigger', { ref, inputs: { simulate } })).json.id as number;
  const send = async (query: string, more = {}) =>
    (await post('/tasks', { name: 'semantic_search', args: [query], ...more })).json.task_id as string;
  const statuses = (ids: Array<number | string>, kind: 'builds' | 'tasks') =>
    Promise.all(ids.map(async (id) => (await get(`/${kind}/${id}?wait=60`)).status));

  it('are builds that a filter names: counted first, then cancelled, and no others', async () => {
    const ids = [await trigger('many-a', 'stuck'), await trigger('many-b', 'stuck'), await trigger('many-c', 'stuck')];
    const other = await trigger('another', 'stuck');
    const ended = await trigger('many-ended', 'success');
    await get(`/builds/${ended}?wait=60`);
    const dry = await post('/builds/cancel', { q: 'many-', dry_run: true });
    expect(dry.status).toBe(200);
    const { count, more, sample } = manyBuildsDryRun.parse(dry.json);
    expect([count, more, sample.map(({ id }) => id)]).toEqual([3, false, ids]);
    const newest = manyBuildsAnswer.parse((await post('/builds/cancel', { q: 'many-', limit: 1 })).json);
    expect(newest).toEqual({ done: [ids[2]], refused: [], more: true });
    await eventually(async () => expect((await get(`/builds/${ids[2]}`)).status).toBe('cancelled'));
    const rest = manyBuildsAnswer.parse((await post('/builds/cancel', { q: 'many-' })).json);
    expect([rest.done.toSorted(), rest.more]).toEqual([ids.slice(0, 2), false]);
    expect(await statuses(ids, 'builds')).toEqual(['cancelled', 'cancelled', 'cancelled']);
    expect(['queued', 'in_progress']).toContain((await get(`/builds/${other}`)).status);
    expect((await post('/builds/cancel', { ids: [other, ended, 999_999] })).json).toEqual({
      ...{ done: [other], refused: [], more: false },
    });
  });

  it('are failed builds that are retried, each with an event that says who did', async () => {
    const ids = [await trigger('retried', 'failure'), await trigger('retried', 'startup_failure')];
    await statuses(ids, 'builds');
    const { status, json } = await post('/builds/retry', { ref: 'retried' });
    expect([status, json.done.toSorted(), json.refused]).toEqual([202, ids, []]);
    for (const id of ids) {
      const { events } = await get(`/builds/${id}`);
      expect(events).toContainEqual(
        expect.objectContaining({ event_type: 'build_retried', event_data: expect.objectContaining({ by: 'ops' }) }),
      );
    }
  });

  it('are tasks that failed or were revoked, retried by filter, by id, or one alone', async () => {
    const failed = [await send('one'), await send('two')];
    const later = await send('later', { eta: '2099-01-01T00:00:00Z' });
    expect(await statuses(failed, 'tasks')).toEqual(['FAILURE', 'FAILURE']);
    const revoked = manyTasksAnswer.parse((await post('/tasks/cancel', { name: 'semantic_search' })).json);
    expect(revoked).toEqual({ done: [later], refused: [], more: false });
    expect(await statuses([later], 'tasks')).toEqual(['REVOKED']);
    const dry = await post('/tasks/retry', { queue: 'search', dry_run: true });
    expect(manyTasksDryRun.parse(dry.json)).toMatchObject({ count: 3, more: false });
    works = true;
    const { json, status } = await post('/tasks/retry', { queue: 'search', status: 'FAILURE' });
    expect([status, json.done.toSorted()]).toEqual([202, failed.toSorted()]);
    expect(await statuses(failed, 'tasks')).toEqual(['SUCCESS', 'SUCCESS']);
    const again = await post(`/tasks/${later}/retry`, {});
    expect([again.status, again.json]).toEqual([
      202,
      { task_id: later, status: 'PENDING', message: 'Task queued again' },
    ]);
    expect((await post(`/tasks/${failed[0]}/retry`, {})).json.code).toBe('state_conflict');
  });

  it('are never meant by an empty request, nor named in two ways', async () => {
    for (const path of ['/builds/cancel', '/builds/retry', '/tasks/cancel', '/tasks/retry']) {
      for (const body of [{}, { dry_run: true }, { limit: 5 }, { ids: [path.startsWith('/b') ? 1 : 'a'], q: 'x' }]) {
        const { status, json } = await post(path, body);
        expect([status, json.errors?.[0]?.path], `${path} ${JSON.stringify(body)}`).toEqual([400, 'body.ids']);
      }
    }
  });

  it('are only those that a restricted key reaches', async () => {
    const build = await trigger('out-of-reach', 'stuck');
    const task = await send('in reach', { eta: '2099-01-01T00:00:00Z' });
    expect((await post('/builds/cancel', { ref: 'out-of-reach' }, as(acme))).json.done).toEqual([]);
    expect((await post('/builds/cancel', { ids: [build] }, as(acme))).status).toBe(403);
    expect((await post('/tasks/cancel', { ids: [task] }, as(acme))).status).toBe(403);
    expect((await post('/tasks/cancel', { ids: [task] }, as(search))).json.done).toEqual([task]);
    expect((await post('/builds/cancel', { ids: [build] })).json.done).toEqual([build]);
  });

  it('show the runs that a build in doubt may adopt, and none for another', async () => {
    await world.github.set({ echoes_correlation: false });
    // Not another build that is about to be sent.
    await world.github.fault({ on: 'dispatch', kind: 'accept-then-reset', match: 'doubtful' });
    const id = await trigger('doubtful', 'success');
    const path = `/builds/${id}/candidates`;
    await eventually(async () => expect((await get(path)).needs_attention).toBe(true));
    await world.github.set({ echoes_correlation: true });
    const { candidates, reason } = candidateRunsAnswer.parse(await get(path));
    const run = (await world.github.runs()).find(({ ref }: { ref: string }) => ref === 'doubtful');
    expect(candidates).toContainEqual({ run_id: run?.id, run_url: expect.stringContaining(String(run?.id)) });
    expect(reason).toContain('could not find out');
    await post(`/builds/${id}/adopt`, { run_id: run?.id });
    expect(await statuses([id], 'builds')).toEqual(['success']);
    expect((await get(path)).candidates).toEqual([]);
  });
});
