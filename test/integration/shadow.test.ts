import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { placeOfRuns } from '../../src/domain/builds/concurrency-group.ts';
import { takeShadowRun } from '../../src/store/shadow/shadow-run-take.ts';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';
import { hapax } from './told-builds.ts';

describe('a configuration whose dispatches another program sends', () => {
  let world: World;
  let n = 0;
  beforeAll(async () => {
    world = await openWorld('server');
  });
  afterAll(() => world.close());
  afterEach(async () => {
    // The simulator is the oracle: nothing ever came from Hapax that would change something.
    const { requests } = await world.github.oracle();
    expect({ dispatch: 0, cancel: 0, rerun: 0, ...requests }).toMatchObject({ dispatch: 0, cancel: 0, rerun: 0 });
  });

  const configured = async (of = world) => {
    const name = `shadow-${++n}`;
    const content = { repository: 'acme/images', workflow: 'build.yml', dispatch: 'shadow', default_ref: name };
    const { json } = await of.call('PUT', `/configs/by-name/${name}`, content);
    return { config: name, id: json.id as number, ref: name };
  };
  /** What the other program does. */
  const starts = async (ref: string, { display_title = `Build ${ref}`, count = 1, inputs = {} } = {}) => {
    const run = {
      repository: 'acme/images',
      workflow: 'build.yml',
      ref,
      display_title,
      event: 'workflow_dispatch',
      count,
      inputs,
    };
    const { runs } = await world.github.control<{ runs: { id: number }[] }>('POST', '/runs', run);
    return runs.map(({ id }) => id);
  };
  const report = async (id: number, of = world) => (await of.call('GET', `/configs/${id}/shadow`)).json;
  const typesOf = async (id: number) => (await world.build(id)).events.map(({ event_type }) => event_type);

  it('has the run of the other program, which it follows to its end', async () => {
    const { config, id, ref } = await configured();
    const { id: build } = (await world.trigger({ config })).json;
    await eventually(async () => expect(await typesOf(build)).toContain('dispatch_withheld'));
    const [run] = await starts(ref);
    expect(await world.ended(build)).toMatchObject({
      ...{ status: 'success', workflow_run_id: run, attempts: 0, shadow: true },
      ...{ needs_attention: false },
    });
    expect(await report(id)).toMatchObject({
      ...{ triggered: 1, matched: 1, lost: 0, waiting: 0, doubled: 0, unheard: 0 },
      builds: [{ build_id: build, outcome: 'matched', run: { workflow_run_id: run } }],
    });
    const { code, lines } = await hapax(['shadow', config], { HAPAX_URL: world.url });
    expect([code, lines.find((line) => /^matched/.test(line))]).toEqual([0, expect.stringMatching(/^matched +1$/)]);
    expect(lines.find((line) => line.includes(String(run)))).toMatch(new RegExp(`^${build} +matched +${ref} `));
    expect(await hapax(['shadow', 'nowhere'], { HAPAX_URL: world.url })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no build configuration nowhere'),
    });
  });

  it('takes the run that was started before Hapax heard of the request', async () => {
    const { config, ref } = await configured();
    const [run] = await starts(ref);
    const { id: build } = (await world.trigger({ config })).json;
    expect(await world.ended(build)).toMatchObject({ status: 'success', workflow_run_id: run });
  });

  it('reports a second run for one request in the build, and runs that nobody triggered', async () => {
    const { config, id, ref } = await configured();
    const [first, second] = await starts(ref, { count: 2, inputs: { simulate: 'failure' } });
    const { id: build } = (await world.trigger({ config })).json;
    await world.ended(build);
    await eventually(async () => expect(await typesOf(build)).toContain('run_doubled'));
    const [stranger] = await starts('another-ref');
    const said = await report(id);
    expect(said).toMatchObject({
      ...{ triggered: 1, matched: 1, doubled: 1 },
      builds: [{ run: { workflow_run_id: first }, doubled: [{ workflow_run_id: second }] }],
    });
    expect(said.unheard_runs).toContainEqual(
      expect.objectContaining({ workflow_run_id: stranger, ref: 'another-ref' }),
    );
    // The other program's runs go on.
    const runs = await world.github.runs();
    expect(runs.find((run) => run.id === second)?.conclusion).not.toBe('cancelled');
  });

  it('tells builds of one ref apart by the inputs that the titles show', async () => {
    const { config, ref } = await configured();
    const variants = ['silverblue', 'sway', 'kinoite'];
    await world.stopWorker();
    const ids: number[] = [];
    for (const variant of variants) ids.push((await world.trigger({ config, inputs: { variant } })).json.id);
    const runs: number[] = [];
    for (const variant of variants.toReversed())
      runs.unshift(...(await starts(ref, { display_title: `Image ${variant}` })));
    await world.startWorker();
    for (const [index, id] of ids.entries()) {
      expect(await world.ended(id)).toMatchObject({ workflow_run_id: runs[index] });
    }
  });

  it('can be cancelled before there is a run; a run of the other program is never stopped', async () => {
    const { config, id, ref } = await configured();
    const { id: waiting } = (await world.trigger({ config })).json;
    expect((await world.call('POST', `/builds/${waiting}/cancel`, {})).status).toBe(202);
    expect(await world.ended(waiting)).toMatchObject({ status: 'cancelled' });
    const [run] = await starts(ref, { inputs: { simulate: 'stuck' } });
    const { id: running } = (await world.trigger({ config, inputs: { simulate: 'stuck' } })).json;
    await eventually(async () => expect((await world.build(running)).workflow_run_id).toBe(run));
    expect(await world.call('POST', `/builds/${running}/cancel`, {})).toMatchObject({
      status: 409,
      json: { code: 'state_conflict', detail: expect.stringContaining('another program started the run') },
    });
    await world.github.force(run!, 'completed', 'failure');
    expect(await world.ended(running)).toMatchObject({ status: 'failure', conclusion: 'failure' });
    expect((await world.call('POST', `/builds/${running}/retry`, {})).status).toBe(409);
    expect(await report(id)).toMatchObject({ triggered: 2, matched: 1, lost: 0 });
  });

  it('has no run that is found for it only after it was cancelled: the next build has it', async () => {
    const { config, ref } = await configured();
    const { json: cancelled } = await world.trigger({ config });
    await world.call('POST', `/builds/${cancelled.id}/cancel`, {});
    await world.ended(cancelled.id);
    const [run] = await starts(ref);
    // As a look does that was under way when the build was cancelled.
    const found = { run_id: run!, run_url: 'https://github.test/', run_created_at: new Date().toISOString() };
    const taken = { ...found, build_id: cancelled.id, doubled: false };
    expect(await takeShadowRun(world.db, placeOfRuns({ repository: 'acme/images' }), taken)).toBe(false);
    const { id: build } = (await world.trigger({ config })).json;
    expect(await world.ended(build)).toMatchObject({ status: 'success', workflow_run_id: run });
  });

  it('has no run that was found for it right before it was cancelled: the next build has it', async () => {
    const { config, ref } = await configured();
    const { json: cancelled } = await world.trigger({ config });
    // It has looked once, and waits for its next look.
    await eventually(async () => {
      const { workflow_id } = (await world.build(cancelled.id)).events[0]!.event_data!;
      const { events } = await world.client.workflow.getHandle(String(workflow_id)).fetchHistory();
      expect(events?.some(({ activityTaskCompletedEventAttributes: completed }) => completed)).toBe(true);
    });
    await world.stopWorker();
    const [run] = await starts(ref);
    // As a look does that ends when the build has just decided that it ends.
    const found = { run_id: run!, run_url: 'https://github.test/', run_created_at: new Date().toISOString() };
    const place = placeOfRuns({ repository: 'acme/images' });
    const take = (build_id: number) => takeShadowRun(world.db, place, { ...found, build_id, doubled: false });
    expect(await take(cancelled.id)).toBe(true);
    expect(await take(cancelled.id + 1_000)).toBe(false);
    await world.call('POST', `/builds/${cancelled.id}/cancel`, {});
    await world.startWorker();
    expect(await world.ended(cancelled.id)).toMatchObject({ status: 'cancelled' });
    const { id: build } = (await world.trigger({ config })).json;
    expect(await world.ended(build)).toMatchObject({ status: 'success', workflow_run_id: run });
    expect(await take(cancelled.id + 1_000)).toBe(false);
  });

  it('is another request than the same one after the configuration has changed to direct', async () => {
    const { config, id } = await configured();
    const { id: shadowed } = (await world.trigger({ config })).json;
    await world.call('POST', `/builds/${shadowed}/cancel`, {});
    await world.ended(shadowed);
    const content = { repository: 'acme/images', workflow: 'build.yml', default_ref: config, dispatch: 'queue' };
    expect((await world.call('PUT', `/configs/${id}`, { name: config, ...content })).json.dispatch).toBe('queue');
    await world.stopWorker();
    const { id: sent } = (await world.trigger({ config })).json;
    expect(sent).not.toBe(shadowed);
    expect((await world.build(sent)).shadow).toBe(false);
    await world.call('POST', `/builds/${sent}/cancel`, {});
    await world.startWorker();
    await world.ended(sent);
  });

  it('fails where the other program starts none, is no dead letter, and cannot be sent after all', async () => {
    const quick = await openWorld('server', { DEDUP_WINDOW: '1s' });
    onTestFinished(() => quick.close());
    const { config, id } = await configured(quick);
    const { id: build } = (await quick.trigger({ config })).json;
    const ended = await quick.ended(build);
    expect(ended).toMatchObject({ status: 'failure', conclusion: 'not_started', workflow_run_id: null });
    expect(ended.events.at(-1)).toMatchObject({
      event_type: 'build_completed',
      event_data: { detail: 'the other program started no run', learned_from: 'listing' },
    });
    expect((await quick.call('GET', `/dlq/build:${build}`)).status).toBe(404);
    for (const mode of [undefined, 'rerun', 'redispatch']) {
      expect((await quick.call('POST', `/builds/${build}/retry`, mode ? { mode } : {})).status).toBe(409);
    }
    expect((await quick.call('POST', `/dlq/build:${build}/redrive`, {})).status).toBe(404);
    expect((await quick.github.oracle()).dispatch_requests).toBe(0);
    expect(await report(id, quick)).toMatchObject({
      triggered: 1,
      matched: 0,
      lost: 1,
      builds: [{ outcome: 'lost', run: null }],
    });
  });

  it('compares times by its own clock, whatever that of the forge shows', async () => {
    await world.github.set({ clock_off_ms: 3_600_000 });
    const { config, ref } = await configured();
    const { id: build } = (await world.trigger({ config })).json;
    const [run] = await starts(ref);
    await eventually(async () => expect((await world.build(build)).workflow_run_id).toBe(run));
    await world.github.set({ clock_off_ms: 0 });
    await world.ended(build);
  });

  it('needs the concurrency allow', async () => {
    const content = { repository: 'acme/images', workflow: 'build.yml', concurrency: 'queue', dispatch: 'shadow' };
    expect(await world.call('PUT', '/configs/by-name/turns', content)).toMatchObject({
      status: 400,
      json: { errors: [{ path: 'body.dispatch' }] },
    });
  });
});
