import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSettings } from '../../src/contracts/settings.ts';
import { startDeliverySweep } from '../../src/processes/delivery-sweep.ts';
import { connectGitHub } from '../../src/processes/github.ts';
import { claimDeliverySweep } from '../../src/store/github/delivery-sweep-claim.ts';
import { advanceRepositorySweep, findRepositorySweep } from '../../src/store/github/repository-sweep.ts';
import { eventually } from '../world/eventually.ts';
import { DATABASES, openTestDatabase, openWorld, type World } from '../world/world.ts';

const SECRET = 'a-webhook-secret';
const EVERY_MS = 400;

describe('webhooks that nobody took', () => {
  let world: World;
  beforeAll(async () => {
    // Polls so rare that only a webhook can end a build within a test.
    world = await openWorld('server', { GITHUB_WEBHOOK_SECRET: SECRET, GITHUB_POLL_INTERVAL: '10m' });
    await world.github.set({ webhook: { url: `${world.url}/webhooks/github`, secret: SECRET } });
  });
  afterAll(() => world.close());

  /** Three processes that would all sweep; what they logged and counted. */
  async function sweeping(work: (seen: { lines: string[]; outcomes: string[] }) => Promise<void>): Promise<void> {
    const lines: string[] = [];
    const outcomes: string[] = [];
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
    const settings = readSettings({
      GITHUB_TOKEN: 'test-token',
      GITHUB_REPO: 'acme/images',
      GITHUB_API_URL: world.simulator.url,
      GITHUB_WRITE_INTERVAL: '0',
    });
    const onSwept = (outcome: string) => void outcomes.push(outcome);
    const sweepers = Array.from({ length: 3 }, () => {
      const github = connectGitHub(settings, undefined, world.db);
      return startDeliverySweep({ db: world.db, github, log, onSwept, everyMs: EVERY_MS });
    });
    try {
      await work({ lines, outcomes });
    } finally {
      await Promise.all(sweepers.map((sweeper) => sweeper.stop()));
    }
  }

  it('are asked for again, each once, by one process of several', async () => {
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
    await sweeping(async ({ outcomes }) => {
      expect((await world.ended(json.id)).status).toBe('success');
      const sweeps = outcomes.length;
      await eventually(() => expect(outcomes.length).toBeGreaterThan(sweeps + 1));
      expect((await world.github.oracle()).requests.redeliver).toBe(3);
    });
  });

  it('are looked for again from the same time where GitHub failed', async () => {
    const before = await world.db`SELECT * FROM repository_sweeps`;
    await world.github.fault({ kind: 'reject-with-502', on: 'hooks', times: 2 });
    await sweeping(async ({ outcomes, lines }) => {
      await eventually(() => expect(outcomes).toHaveLength(2));
      expect(outcomes).toEqual(['failed', 'failed']);
      expect(lines[0]).toContain('the next search starts at the same point');
      expect(await world.db`SELECT * FROM repository_sweeps`).toEqual(before);
      await eventually(() => expect(outcomes).toContain('done'));
    });
    expect(await world.db`SELECT * FROM repository_sweeps`).not.toEqual(before);
  });

  it('hold up nobody who stops while GitHub does not answer', async () => {
    await world.github.fault({ kind: 'hang', on: 'hooks', times: 9 });
    const hanging = async () => (await world.github.oracle()).requests.hooks!;
    const before = await hanging();
    let stoppedAfterMs = Number.POSITIVE_INFINITY;
    await sweeping(async ({ outcomes, lines }) => {
      await eventually(async () => expect(await hanging()).toBeGreaterThan(before));
      stoppedAfterMs = Date.now();
      expect([outcomes, lines]).toEqual([[], []]);
    });
    // The request itself would be given up after 15 s.
    expect(Date.now() - stoppedAfterMs).toBeLessThan(10_000);
    await world.github.control('DELETE', '/faults');
  });

  it('are left to polling where the credential may not list them, which the log says once', async () => {
    await world.github.set({ may_list_hooks: false });
    await sweeping(async ({ lines, outcomes }) => {
      await eventually(() => expect(outcomes.length).toBeGreaterThan(5));
      expect(new Set(outcomes)).toEqual(new Set(['not_allowed']));
      // Of three processes each may have had its turn.
      expect(lines.length).toBeLessThanOrEqual(3);
      expect(lines[0]).toContain('admin:repo_hook');
    });
  });
});

describe.each(DATABASES)('the turn to sweep (%s)', (kind) => {
  it('is one process’s per interval, and begins where the last one that succeeded ended', async () => {
    const { db, close } = await openTestDatabase(kind);
    const claims = await Promise.all(Array.from({ length: 6 }, () => claimDeliverySweep(db, 60_000)));
    expect(claims.filter((at) => at !== undefined)).toHaveLength(1);
    expect(await claimDeliverySweep(db, 60_000)).toBeUndefined();
    const at = (await claimDeliverySweep(db, 0))!;
    const minutesAgo = async () => (Date.now() - Date.parse(await findRepositorySweep(db, 'acme/images'))) / 60_000;
    expect(await minutesAgo()).toBeCloseTo(3 * 24 * 60, -1);
    await advanceRepositorySweep(db, 'acme/images', at);
    expect(await minutesAgo()).toBeCloseTo(10, -1);
    // A look that took longer than another one takes nothing back.
    await advanceRepositorySweep(db, 'acme/images', new Date(Date.parse(at) - 3_600_000).toISOString());
    expect(await minutesAgo()).toBeCloseTo(10, -1);
    await close();
  });
});
