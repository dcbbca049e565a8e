import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANSWER_WORKFLOW, answerWorkflowId } from '../../src/contracts/endings/answer-workflow.ts';
import { readSettings } from '../../src/contracts/settings.ts';
import { queues, workers } from '../../src/contracts/tasks/queue.ts';
import { WORKFLOW_TASK_QUEUE } from '../../src/contracts/tasks/task-queues.ts';
import { lazyTemporalClient } from '../../src/processes/temporal.ts';
import { startAnotherApi, startCutOffApi } from '../world/another-api.ts';
import { eventually } from '../world/eventually.ts';
import { steadyPort } from '../world/steady-port.ts';
import { openWorld, type World } from '../world/world.ts';

describe('queues and workers', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld('server', { CALLBACK_ALLOWED_HOSTS: '127.0.0.1' });
  });
  afterAll(() => world.close());

  const queue = async () => queues.parse((await world.call('GET', '/queues')).json)[0];

  it('are empty and polled where nothing was asked for', async () => {
    await eventually(async () =>
      expect(await queue()).toEqual({
        name: 'builds',
        depth: 0,
        oldest_age_seconds: null,
        in_flight: 0,
        pollers: 1,
        paused: null,
      }),
    );
    const seen = workers.parse((await world.call('GET', '/workers')).json);
    expect(seen.map((one) => one.queue)).toEqual(['workflows', 'youtube', 'content', 'search', 'callbacks']);
    for (const { identity } of seen) expect(identity).toContain(String(process.pid));
    expect(Math.abs(Date.now() - Date.parse(seen[0]?.last_seen_at ?? ''))).toBeLessThan(90_000);
  });

  it('show what waits while no worker runs, since when, and that it goes on when one comes', async () => {
    await world.stopWorker();
    const before = Date.now();
    const asked = [];
    for (const ref of ['a', 'b', 'c']) asked.push(await world.trigger({ ref, inputs: { simulate: 'failure' } }));
    const waiting = await eventually(async () => {
      const seen = await queue();
      expect(seen).toMatchObject({ depth: 3, in_flight: 0 });
      return seen;
    });
    expect(waiting?.oldest_age_seconds).toBeGreaterThanOrEqual(0);
    expect(waiting?.oldest_age_seconds).toBeLessThanOrEqual((Date.now() - before) / 1_000 + 0.01);
    // The same request again waits no second time.
    await world.trigger({ ref: 'a', inputs: { simulate: 'failure' } });
    expect((await queue())?.depth).toBe(3);

    await world.startWorker();
    for (const { json } of asked) await world.ended(json.id);
    expect(await queue()).toMatchObject({ depth: 0, oldest_age_seconds: null, in_flight: 0, pollers: 1 });
  });

  it('count a task whose time is to come, which waits from then on', async () => {
    const search = async () =>
      queues.parse((await world.call('GET', '/queues')).json).find(({ name }) => name === 'search')!;
    await world.stopWorker();
    const send = (eta: Date) =>
      world.call('POST', '/tasks', { name: 'semantic_search', kwargs: { query: 'q' }, eta: eta.toISOString() });
    const { task_id: later } = (await send(new Date(Date.now() + 86_400_000))).json;
    expect(await search()).toMatchObject({ depth: 1, oldest_age_seconds: null });
    const eta = new Date(Date.now() + 2_000);
    await send(eta);
    const { depth, oldest_age_seconds: age } = await eventually(async () => {
      const seen = await search();
      expect(seen.oldest_age_seconds).toEqual(expect.anything());
      return seen;
    });
    expect(depth).toBe(2);
    expect(age).toBeLessThanOrEqual((Date.now() - eta.getTime()) / 1_000 + 0.01);
    await world.startWorker();
    await world.call('POST', `/tasks/${later}/cancel`, {});
    await eventually(async () => expect(await search()).toMatchObject({ depth: 0, oldest_age_seconds: null }));
  });

  it('count what has begun and not ended', async () => {
    const { json } = await world.trigger({ ref: 'long', inputs: { simulate: 'stuck' } });
    await eventually(async () => expect(await queue()).toMatchObject({ depth: 0, in_flight: 1 }));
    expect((await world.call('POST', `/builds/${json.id}/cancel`, {})).status).toBe(202);
    await world.ended(json.id);
    expect(await queue()).toMatchObject({ in_flight: 0 });
  });

  it('count a build that waits for its turn, which is not the age of anything', async () => {
    const content = { repository: 'acme/images', workflow: 'build.yml', concurrency: 'queue' };
    const { id: config_id } = (await world.call('POST', '/configs', { name: 'turns', ...content })).json;
    const build = async (simulate: string) =>
      (await world.trigger({ config_id, ref: 'turns', inputs: { simulate } })).json.id as number;
    const first = await build('stuck');
    await eventually(async () => expect(await queue()).toMatchObject({ depth: 0, in_flight: 1 }));
    const next = await build('failure');
    await eventually(async () =>
      expect(await queue()).toMatchObject({ depth: 1, in_flight: 1, oldest_age_seconds: null }),
    );
    for (const id of [next, first]) {
      await world.call('POST', `/builds/${id}/cancel`, {});
      await world.ended(id);
    }
  });

  it('count what is still to be told of endings: callbacks that are tried again, answers without a bridge', async () => {
    const telling = async () => queues.parse((await world.call('GET', '/queues')).json).slice(-2);
    const none = { depth: 0, oldest_age_seconds: null, in_flight: 0, paused: null };
    const [callbacks, bridge] = [
      { name: 'callbacks', pollers: 1 },
      { name: 'bridge', pollers: 0 },
    ];
    await eventually(async () =>
      expect(await telling()).toEqual([
        { ...callbacks, ...none },
        { ...bridge, ...none },
      ]),
    );
    const nobody = `http://127.0.0.1:${await steadyPort()}/`;
    await world.ended((await world.trigger({ ref: 'told', callback_url: nobody })).json.id);
    const answer = { task_id: 'none', ending: 'ended' };
    await world.client.workflow.start(ANSWER_WORKFLOW, {
      workflowId: answerWorkflowId(answer),
      taskQueue: WORKFLOW_TASK_QUEUE,
      args: [answer],
    });
    await eventually(async () =>
      expect(await telling()).toEqual([
        { ...callbacks, ...none, in_flight: 1 },
        { ...bridge, ...none, depth: 2, oldest_age_seconds: expect.any(Number), in_flight: 1 },
      ]),
    );
  });

  it.each([
    ['Temporal', 'temporal_unavailable', ['/queues', '/workers']],
    ['the database', 'database_unavailable', ['/queues']],
  ])('answer 503 with a problem document where %s is away', async (away, code, paths) => {
    const nowhere = `127.0.0.1:${await steadyPort()}`;
    const settings = readSettings({ TEMPORAL_NAMESPACE: world.namespace });
    const api =
      away === 'Temporal'
        ? await startAnotherApi({
            ...world,
            client: (await lazyTemporalClient({ ...settings, address: nowhere })).client,
          })
        : await startCutOffApi(world);
    for (const path of paths) {
      const answer = await api.call('GET', path);
      expect([answer.status, answer.json.code, answer.headers.get('retry-after')]).toEqual([503, code, '5']);
    }
  });
});
