import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';

describe('what GitHub refuses because of a setting', () => {
  let world: World;
  let n = 0;

  beforeAll(async () => {
    world = await openWorld('server');
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    await world.github.control('DELETE', '/faults');
    await world.github.set({ workflows: null });
  });

  const trigger = async () => (await world.trigger({ ref: `setting-${++n}` })).json.id as number;
  const github = async () => (await world.call('GET', '/health')).json.dependencies.github;

  /** Waits until a build was told that it is not sent, and /health why. */
  async function waits(id: number, reason: RegExp): Promise<void> {
    await eventually(async () => {
      const delayed = (await world.build(id)).events.findLast((event) => event.event_type === 'dispatch_delayed');
      expect(delayed?.event_data?.reason).toMatch(reason);
    });
    await eventually(async () => expect(await github()).toMatchObject({ status: 'degraded' }));
    expect((await github()).detail).toMatch(reason);
  }
  /** The build ends well, by one run. */
  async function goesOn(id: number): Promise<void> {
    const build = await world.ended(id);
    expect(build).toMatchObject({ status: 'success' });
    const tokens = build.events.flatMap(({ event_data }) => (event_data?.token ? [String(event_data.token)] : []));
    const { runs_per_token } = await world.github.oracle();
    expect(tokens.reduce((sum, token) => sum + (runs_per_token[token] ?? 0), 0)).toBe(1);
    await eventually(async () => expect(await github()).toMatchObject({ status: 'ok' }));
  }

  it('a token: builds wait and /health names it, until it is taken', async () => {
    await world.github.fault({ on: 'any', kind: 'reject-with-401', times: null });
    const id = await trigger();
    await waits(id, /GITHUB_TOKEN: GitHub refuses this token \(401: Bad credentials\)/);
    await world.github.control('DELETE', '/faults');
    await goesOn(id);
  });

  it('a right that the token lacks', async () => {
    await world.github.fault({ on: 'dispatch', kind: 'reject-with-403', times: null });
    const id = await trigger();
    await waits(id, /GITHUB_TOKEN: lacks a right on acme\/images.*Actions: read and write/);
    await world.github.control('DELETE', '/faults');
    await goesOn(id);
  });

  it('a repository that the token may not see', async () => {
    await world.github.fault({ on: 'any', kind: 'reject-with-404', times: null });
    const id = await trigger();
    await waits(id, /GITHUB_REPO/);
    await world.github.control('DELETE', '/faults');
    await goesOn(id);
  });

  it('a workflow file that is not on the default branch yet', async () => {
    await world.github.set({ workflows: [] });
    const id = await trigger();
    await waits(id, /acme\/images has no workflow build\.yml.*GITHUB_WORKFLOW/);
    await world.github.set({ workflows: null });
    await goesOn(id);
  });

  it.each([
    [404, 'dispatch_rejected'],
    [422, 'dispatch_rejected'],
    [403, 'dispatch_rejected'],
  ])('but a %i about the request itself ends the build at once', async (status, conclusion) => {
    const message = status === 403 ? 'Repository was archived so is read-only.' : 'No.';
    await world.github.fault({ on: 'dispatch', kind: `reject-with-${status}`, message });
    expect(await world.ended(await trigger())).toMatchObject({ status: 'failure', conclusion, attempts: 1 });
  });

  it('a run that is followed is not taken for deleted while its repository is not shown', async () => {
    const { json } = await world.trigger({ ref: `setting-${++n}`, inputs: { simulate: 'slow' } });
    await eventually(async () => expect((await world.build(json.id)).workflow_run_id).toEqual(expect.anything()));
    await world.github.fault({ on: 'any', kind: 'reject-with-404', times: null });
    const looks = async () => {
      const { list = 0, get = 0 } = (await world.github.oracle()).requests;
      return list + get;
    };
    const before = await looks();
    // Far more than those after which a run counts as gone.
    await eventually(async () => expect(await looks()).toBeGreaterThan(before + 60));
    expect(await world.build(json.id)).toMatchObject({ status: 'in_progress' });
    await world.github.control('DELETE', '/faults');
    expect(await world.ended(json.id)).toMatchObject({ status: 'success' });
  });
});

describe('names of workflows', () => {
  it.each([
    ['my build [v2].yml', 'my build [v2].yml'],
    ['größe#1?%20.yaml', 'größe#1?%20.yaml'],
    ['.github/workflows/build.yml', 'build.yml'],
  ])('%j is found, dispatched and looked for', async (workflow, file) => {
    const world = await openWorld('server');
    try {
      const content = { repository: 'acme/images', workflow };
      expect((await world.call('PUT', '/configs/by-name/named', content)).json).toMatchObject({ workflow: file });
      await world.github.fault({ on: 'dispatch', kind: 'accept-then-502' });
      const { json } = await world.trigger({ config: 'named' });
      expect(await world.ended(json.id)).toMatchObject({ status: 'success', attempts: 1 });
      expect((await world.github.runs()).map((run) => run.workflow)).toEqual([file]);
    } finally {
      await world.close();
    }
  });
});
