import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuildView } from '../../src/contracts/builds/build.ts';
import { eventually } from '../world/eventually.ts';
import { type ProxyFault, startFaultyProxy } from '../world/faulty-proxy.ts';
import { credentialsOf, REPOSITORY } from '../world/forges.ts';
import { type RealGitea, startRealGitea } from '../world/real-gitea.ts';
import { openWorld, type World } from '../world/world.ts';

const program = process.env.GITEA_BIN;
const CARRIED_OUT: [string, ProxyFault][] = [
  ...[500, 502, 503, 504].map((status): [string, ProxyFault] => [
    `accept-then-${status}`,
    { kind: 'accept-then', status },
  ]),
  ['accept-then-reset', { kind: 'accept-then-reset' }],
  ['accept-then-hang', { kind: 'accept-then-hang' }],
  ['malformed-200', { kind: 'accept-then', status: 200, body: '{"workflow_run_id": 17, "run_u' }],
  ['200-without-id', { kind: 'accept-then', status: 200, body: '{}' }],
  ['204-when-asked-for-details', { kind: 'accept-then', status: 204 }],
];
const NOT_CARRIED_OUT: [string, ProxyFault][] = [
  ['reject-with-503', { kind: 'reject-with', status: 503 }],
  ['reset', { kind: 'reset' }],
  ['hang', { kind: 'hang' }],
];

/** `GITEA_BIN=/path/to/gitea` runs it; no CI has one. */
describe.skipIf(program === undefined)('builds on a real Gitea', () => {
  let gitea: RealGitea;
  let proxy: Awaited<ReturnType<typeof startFaultyProxy>>;
  let world: World;
  let n = 0;

  beforeAll(async () => {
    gitea = await startRealGitea(program!);
    proxy = await startFaultyProxy(gitea.url);
    const apiUrl = `${proxy.url}/api/v1`;
    const credential = credentialsOf([{ dialect: 'real', apiUrl }]).replace('token-of-the-test', gitea.token);
    world = await openWorld('server', {
      FORGE_CREDENTIALS: credential,
      FORGE_WEBHOOK_SECRETS: 'real=a-webhook-secret',
    });
    const definition = { forge: 'gitea', credential: 'real', repository: REPOSITORY, workflow: 'build.yml' };
    expect((await world.call('PUT', '/configs/by-name/real', definition)).status).toBe(201);
  });
  afterAll(async () => {
    await world?.close();
    await proxy?.close();
    await gitea?.close();
  });

  const trigger = async (about: object = {}) => {
    const { status, text, json } = await world.trigger({ config: 'real', inputs: { n: String(++n) }, ...about });
    expect(status, text).toBe(202);
    return json.id as number;
  };
  /** The oracle: Gitea's own list of runs. */
  const runsOf = async (build: BuildView) => {
    const perToken = await gitea.runsPerToken();
    return build.events
      .filter(({ event_type }) => event_type === 'dispatch_intended')
      .map(({ event_data }) => perToken[String(event_data?.token)] ?? 0);
  };

  it('a build becomes one run, whose end is its own', async () => {
    const build = await world.ended(await trigger());
    expect(build).toMatchObject({ status: 'success', attempts: 1, run_attempt: 1 });
    expect(await runsOf(build)).toEqual([1]);
  });

  it.each(CARRIED_OUT)('%s: the run is found and followed to its end, and no other is made', async (_, fault) => {
    proxy.strike(fault);
    const build = await world.ended(await trigger());
    expect(build).toMatchObject({ status: 'success', attempts: 1 });
    expect(await runsOf(build)).toEqual([1]);
  });

  it.each(NOT_CARRIED_OUT)('%s: another is sent only after a whole window without a run', async (_, fault) => {
    proxy.strike(fault);
    const build = await world.ended(await trigger());
    expect(build).toMatchObject({ status: 'success', attempts: 2 });
    expect(await runsOf(build)).toEqual([0, 1]);
  });

  it('the limit of a proxy before it is waited for as told', async () => {
    const limit: ProxyFault = { kind: 'reject-with', status: 429, headers: { 'retry-after': '1' } };
    proxy.strike(limit, limit);
    expect(await runsOf(await world.ended(await trigger()))).toEqual([0, 0, 1]);
  });

  it.each([
    [{ ref: 'nowhere' }, 'ref "nowhere" doesn\'t exist'],
    [{ config: 'no-file' }, 'workflow "none.yml" doesn\'t exist'],
  ])('%j is refused with words of Gitea', async (about, words) => {
    const definition = { forge: 'gitea', credential: 'real', repository: REPOSITORY, workflow: 'none.yml' };
    await world.call('PUT', '/configs/by-name/no-file', definition);
    const build = await world.ended(await trigger(about));
    expect(build).toMatchObject({ status: 'failure', conclusion: 'dispatch_rejected' });
    const refused = build.events.find(({ event_type }) => event_type === 'dispatch_rejected');
    expect(refused?.event_data).toMatchObject({ status: 404, message: words });
  });

  it('a failed run is run again, and its attempt is told from its jobs', async () => {
    gitea.runner.result = 'RESULT_FAILURE';
    const id = await trigger();
    expect(await world.ended(id)).toMatchObject({ status: 'failure', failed_jobs: [{ name: 'build' }] });
    gitea.runner.result = 'RESULT_SUCCESS';
    expect((await world.call('POST', `/builds/${id}/retry`, { mode: 'rerun_failed' })).status).toBe(202);
    await eventually(async () =>
      expect(await world.build(id)).toMatchObject({ status: 'success', run_attempt: 2, retries: 1 }),
    );
  });

  it('its webhook is signed as expected, and wakes the build', async () => {
    const config = { url: `${world.url}/webhooks/forges/real`, content_type: 'json', secret: 'a-webhook-secret' };
    await gitea.call('POST', `/repos/${REPOSITORY}/hooks`, {
      ...{ type: 'gitea', active: true, events: ['workflow_run'], config },
    });
    const build = await world.ended(await trigger());
    const taken = () => world.db`SELECT FROM deliveries WHERE settled`;
    await eventually(async () => expect((await taken()).length).toBeGreaterThan(0));
    expect(await runsOf(build)).toEqual([1]);
  });
});
