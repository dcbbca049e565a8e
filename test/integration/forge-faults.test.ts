import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { BuildView } from '../../src/contracts/builds/build.ts';
import { FIRE_WORKFLOW } from '../../src/contracts/schedules/fire-workflow.ts';
import { WORKFLOW_TASK_QUEUE } from '../../src/contracts/tasks/task-queues.ts';
import { CARRIED_OUT } from '../simulator/harness.ts';
import { person } from '../world/command-line.ts';
import { eventually } from '../world/eventually.ts';
import { openWorldWith, REPOSITORY, type SimulatedForge, simulateForge, WEBHOOK_SECRET } from '../world/forges.ts';
import type { World } from '../world/world.ts';

let world: World;
let forges: SimulatedForge[];

beforeAll(async () => {
  forges = await Promise.all([simulateForge('gitea'), simulateForge('forgejo')]);
  world = await openWorldWith(forges);
});
afterAll(async () => {
  await world.close();
  await Promise.all(forges.map((forge) => forge.close()));
});

describe.each(['gitea', 'forgejo'] as const)('builds on %s, beside the other forges', (dialect) => {
  let forge: SimulatedForge;
  let n = 0;
  beforeAll(() => {
    forge = forges.find((one) => one.dialect === dialect)!;
  });

  const trigger = async (about: object = {}) => {
    const triggered = await world.trigger({ config: dialect, ref: `${dialect}-${++n}`, ...about });
    expect(triggered.status, triggered.text).toBe(202);
    return triggered.json.id as number;
  };
  /** A build whose dispatch meets this; faults strike by its ref, so that many go on at once. */
  const struck = async (kind: string, more: object = {}, about: object = {}) => {
    const ref = `${dialect}-${kind}-${++n}`;
    await forge.fault({ on: 'dispatch', kind, match: `"${ref}"`, ...more });
    return trigger({ ref, ...about });
  };
  /** The oracle: how many runs the forge made for each dispatch of a build. */
  const runsOf = async (build: BuildView) => {
    const { runs_per_token } = await forge.oracle();
    return build.events
      .filter(({ event_type }) => event_type === 'dispatch_intended')
      .map(({ event_data }) => runs_per_token[String(event_data?.token)] ?? 0);
  };
  const types = (build: BuildView) => build.events.map(({ event_type }) => event_type);

  it('a build becomes one run, whose end is its own', async () => {
    const [build, failed] = await Promise.all(
      [trigger({ inputs: { n: '1' } }), trigger({ inputs: { simulate: 'failure' } })].map(async (id) =>
        world.ended(await id),
      ),
    );
    expect(build).toMatchObject({ status: 'success', attempts: 1 });
    expect(build!.run_url).toContain(`${forge.url}/${REPOSITORY}/actions/runs/`);
    expect(failed).toMatchObject({ status: 'failure', conclusion: 'failure', failed_jobs: [{ name: 'build' }] });
    expect(await runsOf(build!)).toEqual([1]);
    expect(build!.events[0]?.event_data?.request).toMatchObject({
      forge: { kind: dialect, api_url: forge.apiUrl, credential: dialect },
    });
  });

  it('every lost response to a dispatch that was carried out: its run is found and followed, and no other is made', async () => {
    const builds = await Promise.all(CARRIED_OUT.map(async (kind) => world.ended(await struck(kind))));
    for (const [index, build] of builds.entries()) {
      expect(build, CARRIED_OUT[index]).toMatchObject({ status: 'success', attempts: 1 });
      expect(types(build)).toContain('dispatch_ambiguous');
      expect(await runsOf(build)).toEqual([1]);
    }
  });

  it('a dispatch that was not carried out is sent again after a whole window without a run', async () => {
    const builds = await Promise.all(
      ['reject-with-503', 'reset', 'hang'].map(async (kind) => world.ended(await struck(kind))),
    );
    for (const build of builds) {
      expect(build).toMatchObject({ status: 'success', attempts: 2 });
      expect(await runsOf(build)).toEqual([0, 1]);
    }
  });

  it('the limit of a proxy before it is waited for as told', async () => {
    const build = await world.ended(await struck('secondary-rate-limit', { status: 429, retry_after_s: 1, times: 2 }));
    await world.liftLimits();
    expect(types(build).filter((type) => type === 'dispatch_delayed')).toHaveLength(2);
    expect(await runsOf(build)).toEqual([0, 0, 1]);
  });

  it("a refusal ends the build with the forge's words", async () => {
    const build = await world.ended(await trigger({ ref: `missing-${dialect}` }));
    expect(build).toMatchObject({ status: 'failure', conclusion: 'dispatch_rejected' });
    const { event_data } = build.events.find(({ event_type }) => event_type === 'dispatch_rejected')!;
    expect(event_data).toMatchObject({ status: 404, message: expect.stringContaining(`missing-${dialect}`) });
    expect(await runsOf(build)).toEqual([0]);
  });

  it('a listing that lags leads to no second run', async () => {
    await forge.fault({ on: 'list', kind: 'omit', count: null, times: 2 }, { on: 'list', kind: 'reject-with-502' });
    const build = await world.ended(await struck('accept-then-502'));
    expect(await runsOf(build)).toEqual([1]);
  });

  it('an endless doubt ends after the last retry', async () => {
    const build = await world.ended(await struck('reject-with-503', { times: 4 }));
    expect(build).toMatchObject({ status: 'failure', conclusion: 'dispatch_failed', attempts: 4 });
    expect(await runsOf(build)).toEqual([0, 0, 0, 0]);
  });

  it('a run that shows up after it was given up is stopped, or recorded as one that goes on', async () => {
    await forge.fault({ on: 'list', kind: 'omit', count: null, times: 5 });
    const id = await struck('accept-then-502', {}, { inputs: { simulate: 'stuck' } });
    const [type, conclusion] = dialect === 'gitea' ? ['run_left_running', null] : ['late_run_cancelled', 'cancelled'];
    const late = await eventually(async () => {
      const event = (await world.build(id)).events.find(({ event_type }) => event_type === type);
      expect(event).toBeDefined();
      return event?.event_data?.workflow_run_id;
    });
    await forge.force((await world.build(id)).workflow_run_id!, 'completed', 'success');
    const build = await world.ended(id);
    expect(build).toMatchObject({ status: 'success', attempts: 2 });
    expect(late).not.toBe(build.workflow_run_id);
    const run = await eventually(async () => {
      const found = (await forge.runs()).find((one) => one.id === late);
      expect(found?.conclusion ?? null).toBe(conclusion);
      return found;
    });
    if (run?.conclusion === null) await forge.force(run.id, 'completed', 'success');
  });

  it('a doubt about a workflow that shows no token waits for the operator, who adopts the run', async () => {
    await forge.set({ echoes_correlation: false });
    const id = await struck('accept-then-reset');
    await eventually(async () => expect((await world.build(id)).needs_attention).toBe(true));
    await forge.set({ echoes_correlation: true });
    const [run] = await forge.runs();
    const { candidates } = (await world.call('GET', `/builds/${id}/candidates`)).json;
    expect(candidates).toMatchObject([{ run_id: run!.id }]);
    expect((await world.call('POST', `/builds/${id}/adopt`, { run_id: run!.id })).status).toBe(202);
    expect(await world.ended(id)).toMatchObject({ status: 'success', workflow_run_id: run!.id });
  });

  it('a run that is deleted ends the build', async () => {
    const id = await trigger({ inputs: { simulate: 'stuck' } });
    const runId = await eventually(async () => {
      const { workflow_run_id } = await world.build(id);
      expect(workflow_run_id).toEqual(expect.anything());
      return workflow_run_id;
    });
    await forge.control('POST', `/runs/${runId}`, { action: 'delete' });
    expect(await world.ended(id)).toMatchObject({ status: 'failure', conclusion: 'run_deleted' });
  });

  it('a cancellation stops the run, or is refused before anything is done', async () => {
    const id = await trigger({ inputs: { simulate: 'stuck' } });
    await eventually(async () => expect(types(await world.build(id))).toContain('run_updated'));
    const refused = await world.call('POST', `/builds/${id}/cancel`);
    if (dialect === 'forgejo') {
      expect(refused.status).toBe(202);
      expect(await world.ended(id)).toMatchObject({ status: 'cancelled', conclusion: 'cancelled' });
      return;
    }
    expect(refused).toMatchObject({ status: 409, json: { code: 'not_supported' } });
    expect(refused.json.detail).toContain('Gitea has no way to stop a run');
    // Asked another way, as from Temporal's page, it is recorded, and the build keeps the end of its run.
    const workflowId = String((await world.build(id)).events[0]?.event_data?.workflow_id);
    await world.client.workflow.getHandle(workflowId).cancel();
    await eventually(async () => expect(types(await world.build(id))).toContain('cancel_requested'));
    await forge.force((await world.build(id)).workflow_run_id!, 'completed', 'success');
    expect(await world.ended(id)).toMatchObject({ status: 'success', conclusion: 'success' });
  });

  it('a schedule that cancels the last build fires, whether the forge can stop the run or not', async () => {
    const name = `cancels-${dialect}`;
    const build = { config: dialect, ref: name, inputs: { simulate: 'stuck' } };
    await world.call('PUT', `/schedules/${name}`, { build, cron: ['0 0 1 1 *'], overlap: 'cancel_other' });
    const time = new Date(Math.floor(Date.now() / 1_000) * 1_000).toISOString();
    const first = (await world.call('POST', `/schedules/${name}/trigger`)).json.made[0].made;
    const id = Number(first.replace('build:', ''));
    await eventually(async () => expect(types(await world.build(id))).toContain('run_updated'));
    const firing = await world.client.workflow.start(FIRE_WORKFLOW, {
      ...{ workflowId: name, taskQueue: WORKFLOW_TASK_QUEUE, args: [{ schedule: name, jitter_seconds: 0, time }] },
    });
    expect(await firing.result()).toMatchObject({ kind: 'fired' });
    const { json } = await world.call('GET', `/events?stream=schedule:${name}`);
    expect(json.events.at(-1)).toMatchObject({ event_type: 'schedule_fired', event_data: { time } });
    // Only what was asked to stop is named.
    expect(json.events.at(-1).event_data.cancelled).toEqual(dialect === 'gitea' ? undefined : [first]);
    if (dialect === 'forgejo') expect(await world.ended(id)).toMatchObject({ status: 'cancelled' });
  });

  it('a failed build is run again where the forge can, and dispatched again where not', async () => {
    const id = await trigger({ inputs: { simulate: 'flaky' } });
    const failed = await world.ended(id);
    expect(failed.status).toBe('failure');
    if (dialect === 'forgejo') {
      const refused = await world.call('POST', `/builds/${id}/retry`, { mode: 'rerun' });
      expect(refused).toMatchObject({ status: 409, json: { code: 'not_supported' } });
      // The page offers only what works, and the command does it.
      const page = await (await fetch(`${world.url}/console/builds/${id}`)).text();
      expect(page).toContain('Make a new run');
      expect(page).not.toMatch(/run it again|run the failed jobs again/i);
      const me = person({ HAPAX_URL: world.url });
      expect(await me.hapax(['retry', String(id)]).finally(me.remove)).toMatchObject({ code: 0, stderr: '' });
    } else {
      await forge.fault({ on: 'rerun', kind: 'accept-then-502' });
      expect((await world.call('POST', `/builds/${id}/retry`, {})).status).toBe(202);
    }
    const again = await eventually(async () => {
      const build = await world.build(id);
      expect(build).toMatchObject({ retries: 1, completed_at: expect.any(String) });
      return build;
    });
    if (dialect === 'forgejo') return expect(again.workflow_run_id).not.toBe(failed.workflow_run_id);
    // One more attempt, although the response was lost and the forge counts none.
    expect(again).toMatchObject({ status: 'success', workflow_run_id: failed.workflow_run_id, run_attempt: 2 });
    expect((await forge.runs()).find(({ id: run }) => run === failed.workflow_run_id)?.run_attempt).toBe(2);
  });

  it('its webhook wakes the build of its run alone, and only a signed one is taken', async () => {
    const url = `${world.url}/webhooks/forges/${dialect}`;
    await forge.set({ webhook: { url, secret: WEBHOOK_SECRET } });
    const build = await world.ended(await trigger());
    await forge.set({ webhook: null });
    expect(build.status).toBe('success');
    await eventually(async () => expect((await forge.oracle()).webhooks.accepted).toBeGreaterThan(0));
    expect((await world.call('POST', `/webhooks/forges/${dialect}`, { workflow_run: {} })).status).toBe(401);
    expect((await world.call('POST', '/webhooks/forges/nobody', {})).status).toBe(404);
  });
});

describe.each(['gitea', 'forgejo'] as const)('a build on %s whose polls are rare', (dialect) => {
  it('ends at the webhook about the end of its run', async () => {
    const forge = await simulateForge(dialect);
    const rare = await openWorldWith([forge], { GITHUB_POLL_INTERVAL: '10m' });
    onTestFinished(async () => {
      await rare.close();
      await forge.close();
    });
    await forge.set({ webhook: { url: `${rare.url}/webhooks/forges/${dialect}`, secret: WEBHOOK_SECRET } });
    const { id } = (await rare.trigger({ config: dialect, inputs: { simulate: 'stuck' } })).json;
    const build = await eventually(async () => {
      const found = await rare.build(id);
      // Only Gitea sends a webhook before the end.
      expect(found.events.at(-1)?.event_data?.run_status).toMatch(dialect === 'gitea' ? 'in_progress' : /./);
      const handle = rare.client.workflow.getHandle(String(found.events[0]?.event_data?.workflow_id));
      // The poll has looked and waits.
      expect((await handle.describe()).raw.pendingActivities?.[0]?.attempt).toBeGreaterThan(1);
      return found;
    });
    await forge.force(build.workflow_run_id!, 'completed', 'success');
    const { events } = await rare.ended(id);
    expect(events.at(-1)?.event_data).toMatchObject({ conclusion: 'success', learned_from: 'webhook' });
  });
});

describe('a run that outlives the deadline on a forge that cannot stop it', () => {
  it('ends the build as timed_out, which says that the run goes on', async () => {
    const gitea = await simulateForge('gitea');
    const slow = await openWorldWith([gitea], { BUILD_DEADLINE: '1s' });
    try {
      const { json } = await slow.trigger({ config: 'gitea', inputs: { simulate: 'stuck' } });
      const build = await slow.ended(json.id);
      expect(build).toMatchObject({ status: 'failure', conclusion: 'timed_out' });
      expect(build.events.at(-1)?.event_data?.detail).toContain('may still be running');
      expect((await gitea.runs())[0]).toMatchObject({ status: 'in_progress' });
    } finally {
      await slow.close();
      await gitea.close();
    }
  });
});

describe('a configuration', () => {
  it.each([
    [{ forge: 'gitea' }, 400, 'Gitea needs one'],
    [{ forge: 'gitea', credential: 'nobody' }, 400, 'there is no credential nobody'],
    [
      { forge: 'gitea', credential: 'gitea', api_url: 'http://127.0.0.1:1/api/v1' },
      400,
      'is not where the credential leads',
    ],
    [{ forge: 'gitea', credential: 'gitea', workflow: '17' }, 400, 'Gitea knows workflows by their file'],
    [{ forge: 'gitea', credential: 'gitea', concurrency: 'cancel_previous' }, 409, 'has no way to stop a run'],
    [{ api_url: 'https://ghe.example.com/api/v3' }, 400, 'is not where the credential leads'],
  ])('%j is refused: %i', async (definition, status, detail) => {
    const body = { repository: REPOSITORY, workflow: 'build.yml', ...definition };
    const refused = await world.call('PUT', '/configs/by-name/wrong', body);
    expect(refused.status).toBe(status);
    expect(refused.text).toContain(detail);
    expect(refused.text).not.toContain('token-of-the-test');
  });
});
