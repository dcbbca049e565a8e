import { Client, Connection } from '@temporalio/client';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import { readSettings } from '../../src/contracts/settings.ts';
import { connectForges, connectGitHub, directDispatchOf } from '../../src/processes/github.ts';
import { createMetrics } from '../../src/processes/metrics.ts';
import { firingOf } from '../../src/processes/scheduled.ts';
import { CARRIED_OUT } from '../simulator/harness.ts';
import { startAnotherApi } from '../world/another-api.ts';
import { eventually } from '../world/eventually.ts';
import { startFreezingProxy } from '../world/freezing-proxy.ts';
import { openWorld, type World } from '../world/world.ts';

describe('with QUEUE_ENABLED=false', () => {
  let world: World;
  let before: Awaited<ReturnType<World['github']['oracle']>>;
  let n = 0;
  beforeAll(async () => {
    world = await openWorld('server', { QUEUE_ENABLED: 'false' });
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    await world.github.control('DELETE', '/faults');
    before = await world.github.oracle();
  });

  const trigger = async (inputs: object = {}) =>
    (await world.trigger({ ref: `direct-${++n}`, inputs })).json.id as number;
  const typesOf = async (id: number) => (await world.build(id)).events.map(({ event_type }) => event_type);
  const sent = async () => {
    const now = await world.github.oracle();
    return { runs: now.runs - before.runs, posts: now.dispatch_requests - before.dispatch_requests };
  };

  it('a build has its run when its trigger is answered, also without a worker, which then follows it', async () => {
    await world.stopWorker();
    const id = await trigger();
    expect(await typesOf(id)).toEqual(['build_queued', 'build_started', 'dispatch_intended', 'workflow_triggered']);
    expect(await sent()).toEqual({ runs: 1, posts: 1 });
    await world.startWorker();
    expect(await world.ended(id)).toMatchObject({ status: 'success', attempts: 1 });
    expect(await typesOf(id)).not.toContain('build_recovered');
    expect(await sent()).toEqual({ runs: 1, posts: 1 });
  });

  it('the metric of dispatches counts each POST that the forge gets, and what came of it', async () => {
    const counted = async (outcome: string) =>
      Number(
        new RegExp(`^hapax_dispatches_total\\{outcome="${outcome}"\\} (\\d+)$`, 'm').exec(
          (await world.call('GET', '/metrics')).text,
        )?.[1],
      );
    const [accepted, rejected] = [await counted('accepted'), await counted('rejected')];
    await trigger();
    await world.github.fault({ on: 'dispatch', kind: 'reject-with-422', message: 'No ref found' });
    await trigger();
    expect(await sent()).toEqual({ runs: 1, posts: 2 });
    expect([await counted('accepted'), await counted('rejected')]).toEqual([accepted + 1, rejected + 1]);
  });

  it.each([undefined, 'a-key-of-its-own'])(
    'equal requests at once are one build (Idempotency-Key: %s)',
    async (key) => {
      const ref = `direct-${++n}`;
      const answers = await Promise.all(Array.from({ length: 20 }, () => world.trigger({ ref }, key)));
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
      expect(new Set(answers.map(({ json }) => json.id)).size).toBe(1);
      expect(answers.filter(({ headers }) => !headers.has('idempotent-replayed'))).toHaveLength(1);
      await world.ended(answers[0]!.json.id);
      expect(await sent()).toEqual({ runs: 1, posts: 1 });
    },
  );

  it('an equal request after a failure is another build', async () => {
    const ref = `direct-${++n}`;
    const request = { ref, inputs: { simulate: 'failure' } };
    const first = (await world.trigger(request)).json.id;
    expect(await world.ended(first)).toMatchObject({ status: 'failure' });
    const second = (await world.trigger(request)).json.id;
    expect(second).not.toBe(first);
    expect(await world.ended(second)).toMatchObject({ status: 'failure' });
    expect(await sent()).toEqual({ runs: 2, posts: 2 });
  });

  it.each(CARRIED_OUT)('%s: the run that GitHub made is found, and no other is made', async (kind) => {
    await world.github.fault({ on: 'dispatch', kind });
    expect(await world.ended(await trigger())).toMatchObject({ status: 'success', attempts: 1 });
    expect(await sent()).toEqual({ runs: 1, posts: 1 });
  });

  it.each(['reject-with-503', 'reset'])('%s: the workflow sends another after a window without a run', async (kind) => {
    await world.github.fault({ on: 'dispatch', kind });
    const build = await world.ended(await trigger());
    expect(build).toMatchObject({ status: 'success', attempts: 2 });
    expect(build.events.map(({ event_type }) => event_type)).toContain('dispatch_absent');
    expect(await sent()).toEqual({ runs: 1, posts: 2 });
  });

  const unknown = { kind: 'reject-with-422', message: 'Unexpected inputs provided: ["hapax_id"]' };
  it.each([
    ['accepted it without naming its run', [{ kind: '204-when-asked-for-details' }], 'accepted the dispatch'],
    ['takes no token with it', [unknown, { kind: 'accept-then-502' }], 'could not find out whether'],
  ])('no other is sent where GitHub %s and no listing shows the run', async (_, faults, why) => {
    await world.github.fault(...faults.map((fault) => ({ on: 'dispatch', ...fault })), {
      on: 'list',
      kind: 'omit',
      count: null,
      times: 5,
    });
    const id = await trigger();
    const verdict = await eventually(async () => {
      const { events } = await world.build(id);
      const found = events.find(({ event_type }) =>
        /^(dispatch_absent|build_needs_attention|build_completed)$/.test(event_type),
      );
      return found ?? Promise.reject(new Error('nothing is settled yet'));
    });
    expect(verdict).toMatchObject({
      event_type: 'build_needs_attention',
      event_data: { reason: expect.stringContaining(why) },
    });
    expect(await sent()).toEqual({ runs: 1, posts: faults.length });
    expect((await world.call('POST', `/builds/${id}/cancel`, {})).status).toBe(202);
    expect(await world.ended(id)).toMatchObject({ status: 'cancelled', attempts: 1 });
  });

  it('what GitHub refuses ends as a dead letter with its reason, and is not looked for', async () => {
    await world.github.fault({ on: 'dispatch', kind: 'reject-with-422', message: 'No ref found for: x' });
    const id = await trigger();
    expect(await world.ended(id)).toMatchObject({ status: 'failure', conclusion: 'dispatch_rejected' });
    const made = ['dispatch_intended', 'dispatch_rejected', 'build_completed', 'build_dead_lettered'];
    await eventually(async () => expect((await typesOf(id)).slice(2)).toEqual(made));
    expect(await sent()).toEqual({ runs: 0, posts: 1 });
  });

  it('what GitHub takes later is left to the workflow, which waits for that', async () => {
    await world.github.fault({ on: 'dispatch', kind: 'secondary-rate-limit' });
    const id = await trigger();
    expect((await world.build(id)).events.at(-1)).toMatchObject({
      event_type: 'dispatch_delayed',
      event_data: { reason: expect.stringContaining('rate limit') },
    });
    expect((await world.call('POST', `/builds/${id}/cancel`, {})).status).toBe(202);
    expect(await world.ended(id)).toMatchObject({ status: 'cancelled', attempts: 1 });
    expect(await sent()).toEqual({ runs: 0, posts: 1 });
    await world.liftLimits();
  });

  it('one that is cancelled at once has no run that goes on', async () => {
    const id = await trigger({ simulate: 'stuck' });
    expect((await world.call('POST', `/builds/${id}/cancel`, {})).status).toBe(202);
    const build = await world.ended(id);
    expect(build.status).toBe('cancelled');
    const run = (await world.github.runs()).find((one) => one.id === build.workflow_run_id);
    expect(run).toMatchObject({ status: 'completed', conclusion: 'cancelled' });
  });

  it('goes on while Temporal is away, and follows the runs when it is back', async () => {
    const port = Number(inject('temporalAddress').split(':')[1]);
    const proxy = await startFreezingProxy(port);
    onTestFinished(() => proxy.close());
    const connection = await Connection.connect({ address: `127.0.0.1:${proxy.port}` });
    onTestFinished(() => connection.close());
    const api = await startAnotherApi(
      { ...world, client: new Client({ connection, namespace: world.namespace }) },
      {
        settings: {
          QUEUE_ENABLED: 'false',
          GITHUB_API_URL: world.simulator.url,
          GITHUB_TOKEN: 'test-token',
          GITHUB_REPO: 'acme/images',
        },
      },
    );
    // Its ids are held before Temporal is gone.
    await world.ended((await api.trigger({ ref: 'before' })).json.id);
    proxy.cut();
    const { status, json } = await api.trigger({ ref: 'while-temporal-is-away' });
    expect(status).toBe(202);
    expect((await typesOf(json.id)).at(-1)).toBe('workflow_triggered');
    expect((await api.trigger({ ref: 'while-temporal-is-away' })).json.id).toBe(json.id);
    proxy.mend();
    expect(await world.ended(json.id)).toMatchObject({ status: 'success', attempts: 1 });
    expect(await sent()).toEqual({ runs: 2, posts: 2 });
  });

  it('a schedule that fires while Temporal is away starts the workflow of its build as soon as Temporal is back', async () => {
    const proxy = await startFreezingProxy(Number(inject('temporalAddress').split(':')[1]));
    onTestFinished(() => proxy.close());
    const connection = await Connection.connect({
      address: `127.0.0.1:${proxy.port}`,
      channelArgs: { 'grpc.max_reconnect_backoff_ms': 200 },
    });
    onTestFinished(() => connection.close());
    const settings = readSettings({
      ...{ QUEUE_ENABLED: 'false', GITHUB_TOKEN: 'test-token', GITHUB_REPO: 'acme/images' },
      GITHUB_API_URL: world.simulator.url,
    });
    const fire = firingOf(
      {
        ...{ settings, db: world.db, metrics: createMetrics(world.db), log: pino({ level: 'silent' }), say() {} },
        client: new Client({ connection, namespace: world.namespace }),
      },
      directDispatchOf(connectForges(settings, connectGitHub(settings))),
    );
    const build = { config: 'default', ref: `direct-${++n}` };
    await world.call('PUT', '/schedules/direct', { build, cron: ['0 0 1 1 *'], overlap: 'allow' });
    const fireAt = async (second: number) => fire('direct', new Date(second * 1_000).toISOString(), undefined);
    const now = Math.floor(Date.now() / 1_000);
    // Its ids are held before Temporal is gone.
    expect(await fireAt(now - 1)).toMatchObject({ kind: 'fired' });
    proxy.cut();
    await expect(fireAt(now)).rejects.toMatchObject({ code: 'temporal_unavailable' });
    proxy.mend();
    const fired = await eventually(() => fireAt(now));
    const [made = ''] = 'made' in fired ? (fired.made ?? []) : [];
    expect(await world.ended(Number(made.replace('build:', '')))).toMatchObject({ status: 'success', attempts: 1 });
    expect(await sent()).toEqual({ runs: 2, posts: 2 });
  });

  it('a configuration may say otherwise, and one whose builds take turns waits for them', async () => {
    const content = { repository: 'acme/images', workflow: 'build.yml' };
    const queued = (await world.call('POST', '/configs', { name: 'queued', ...content, dispatch: 'queue' })).json;
    expect(queued.dispatch).toBe('queue');
    const turns = { name: 'turns', ...content, concurrency: 'queue' };
    const refused = await world.call('POST', '/configs', { ...turns, dispatch: 'direct' });
    expect(refused).toMatchObject({ status: 400, json: { errors: [{ path: 'body.dispatch' }] } });
    const taken = (await world.call('POST', '/configs', turns)).json;
    expect(taken.dispatch).toBeNull();
    await world.stopWorker();
    for (const { id: config_id } of [queued, taken]) {
      const { id } = (await world.trigger({ config_id, ref: `direct-${++n}` })).json;
      expect(await typesOf(id)).toEqual(['build_queued']);
    }
    await world.startWorker();
    await eventually(async () => expect(await sent()).toMatchObject({ runs: 2 }));
  });
});
