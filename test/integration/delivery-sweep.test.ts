import { ScheduleOverlapPolicy } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSettings } from '../../src/contracts/settings.ts';
import { applySchedules } from '../../src/processes/schedules.ts';
import { advanceRepositorySweep, findRepositorySweep } from '../../src/store/github/repository-sweep.ts';
import { eventually } from '../world/eventually.ts';
import { DATABASES, openTestDatabase, openWorld, type World } from '../world/world.ts';

const SECRET = 'a-webhook-secret';
const SWEEP = 'hapax-sweep-deliveries';

describe('webhooks that nobody took', () => {
  let world: World;
  beforeAll(async () => {
    // Polls so rare that only a webhook can end a build within a test.
    world = await openWorld('server', { GITHUB_WEBHOOK_SECRET: SECRET, GITHUB_POLL_INTERVAL: '10m' });
    await world.github.set({ webhook: { url: `${world.url}/webhooks/github`, secret: SECRET } });
    // A run of its own, every five minutes, would be counted among those that the tests start.
    await eventually(() => schedule().pause());
    await eventually(async () => expect((await schedule().describe()).info.runningActions).toEqual([]));
  });
  afterAll(() => world.close());

  const schedule = () => world.client.schedule.getHandle(SWEEP);
  const swept = async (outcome: string): Promise<number> => {
    const { text } = await world.call('GET', '/metrics');
    return Number(new RegExp(`hapax_webhook_sweeps_total{outcome="${outcome}"} (\\d+)`).exec(text)?.[1]);
  };
  /** Lets the schedule start a sweep now, and waits until it has ended so. */
  const sweep = async (outcome: string) => {
    const before = await swept(outcome);
    const actions = async () => (await schedule().describe()).info.recentActions;
    const earlier = await actions();
    // The schedule may not have noted yet that the sweep before has ended. Its policy would skip this one.
    await schedule().trigger(ScheduleOverlapPolicy.ALLOW_ALL);
    const { action } = await eventually(async () => {
      const started = (await actions())[earlier.length];
      if (!started) throw new Error('no sweep has begun');
      return started;
    });
    await world.client.workflow.getHandle(action.workflow.workflowId, action.workflow.firstExecutionRunId).result();
    expect(await swept(outcome)).toBe(before + 1);
  };
  const sweeps = () => world.db`SELECT * FROM repository_sweeps`;

  it('are asked for again, each once', async () => {
    await world.github.set({ webhook_faults: { lose: true } });
    const { json } = await world.trigger({ ref: 'missed', inputs: { simulate: 'stuck' } });
    const { workflow_run_id, events } = await eventually(async () => {
      const build = await world.build(json.id);
      expect(build.events.at(-1)?.event_type).toBe('run_updated');
      return build;
    });
    // The poll has looked and waits: of what happens from here on only a webhook tells.
    const workflow = world.client.workflow.getHandle(String(events[0]?.event_data?.workflow_id));
    await eventually(async () =>
      expect((await workflow.describe()).raw.pendingActivities?.[0]?.attempt).toBeGreaterThan(1),
    );
    await world.github.force(workflow_run_id!, 'completed', 'success');
    // Queued, in progress and completed, of which nobody hears.
    await eventually(async () => expect((await world.github.oracle()).webhooks.lost).toBe(3));
    expect((await world.build(json.id)).completed_at).toBeNull();
    await world.github.set({ webhook_faults: {} });
    await sweep('done');
    expect((await world.ended(json.id)).status).toBe('success');
    await sweep('done');
    expect((await world.github.oracle()).requests.redeliver).toBe(3);
  });

  it('are looked for again from the same time where GitHub failed', async () => {
    const before = await sweeps();
    await world.github.fault({ kind: 'reject-with-502', on: 'hooks', times: 1 });
    await sweep('failed');
    expect(await sweeps()).toEqual(before);
    await sweep('done');
    expect(await sweeps()).not.toEqual(before);
  });

  it('are left to polling where the credential may not list them', async () => {
    await world.github.set({ may_list_hooks: false });
    await sweep('not_allowed');
  });

  it('are looked for by one schedule, whose pause by an operator outlives a start', async () => {
    await schedule().pause();
    const settings = (secret?: string) => readSettings(secret ? { GITHUB_WEBHOOK_SECRET: secret } : {});
    await applySchedules(world.client, settings(SECRET));
    expect(await schedule().describe()).toMatchObject({
      policies: { overlap: 'SKIP' },
      spec: { intervals: [{ every: 300_000 }] },
      state: { paused: true },
    });
    await applySchedules(world.client, settings());
    await expect(schedule().describe()).rejects.toThrow();
  });

  it('are forgotten in time, as all is that is kept for a time', async () => {
    const rows = () => world.db`SELECT id FROM deliveries WHERE id IN ('old', 'new')`;
    for (const [id, age] of [
      ['old', '7 days'],
      ['new', '5 days'],
    ]) {
      await world.db`
        INSERT INTO deliveries (id, received_at, settled) VALUES (${id!}, now() - ${age!}::interval, true)`;
    }
    await world.client.schedule.getHandle('hapax-sweep-expired').trigger();
    await eventually(async () => expect(await rows()).toEqual([{ id: 'new' }]));
  });
});

describe.each(DATABASES)('the next sweep of a repository (%s)', (kind) => {
  it('begins where the last one that succeeded ended', async () => {
    const { db, close } = await openTestDatabase(kind);
    const at = new Date().toISOString();
    const minutesAgo = async () => (Date.now() - Date.parse(await findRepositorySweep(db, 'acme/images'))) / 60_000;
    expect(await minutesAgo()).toBeCloseTo(3 * 24 * 60, -1);
    await advanceRepositorySweep(db, 'acme/images', at);
    expect(await minutesAgo()).toBeCloseTo(10, -1);
    // A sweep that took longer than another one takes nothing back.
    await advanceRepositorySweep(db, 'acme/images', new Date(Date.parse(at) - 3_600_000).toISOString());
    expect(await minutesAgo()).toBeCloseTo(10, -1);
    await close();
  });
});
