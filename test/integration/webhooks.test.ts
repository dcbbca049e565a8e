import { createHmac, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { WorkflowNotFoundError } from '@temporalio/client';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { readSettings } from '../../src/contracts/settings.ts';
import { webhooksOf } from '../../src/processes/github.ts';
import { lazyTemporalClient } from '../../src/processes/temporal.ts';
import { deleteExpired } from '../../src/store/expired-delete.ts';
import { claimDelivery } from '../../src/store/github/delivery-claim.ts';
import { claimPendingDeliveries } from '../../src/store/github/delivery-claim-pending.ts';
import { releaseDelivery } from '../../src/store/github/delivery-release.ts';
import { settleDelivery } from '../../src/store/github/delivery-settle.ts';
import { startAnotherApi, startCutOffApi } from '../world/another-api.ts';
import { eventually } from '../world/eventually.ts';
import { DATABASES, openTestDatabase, openWorld, type World } from '../world/world.ts';
import { reconcileWorld } from './reconcile-world.ts';

const SECRETS = ['the-new-secret', 'the-old-secret'];

const RUN = { run_id: 1, run_attempt: 1, title: 'Build' };

interface Example {
  name: string;
  examples: object[];
}
const EXAMPLES = JSON.parse(
  readFileSync(createRequire(import.meta.url).resolve('@octokit/webhooks-examples/api.github.com/index.json'), 'utf8'),
) as Example[];

describe.each(DATABASES)('the work of a delivery (%s)', (kind) => {
  it('is one process’s, until it is done, fails, or the process is gone', async () => {
    const { db, close } = await openTestDatabase(kind);
    const claims = await Promise.all(Array.from({ length: 6 }, () => claimDelivery(db, 'a', RUN, 60_000)));
    expect(claims.filter(Boolean)).toHaveLength(1);
    expect(await claimPendingDeliveries(db, 60_000, 10)).toEqual([]);
    // It failed: a redelivery does it at once.
    await releaseDelivery(db, 'a');
    expect(await claimDelivery(db, 'a', RUN, 0)).toBe(true);
    // The process is gone, and its claim has run out.
    expect(await claimPendingDeliveries(db, 60_000, 10)).toEqual([{ id: 'a', run: RUN }]);
    expect(await claimPendingDeliveries(db, 60_000, 10)).toEqual([]);
    await settleDelivery(db, 'a');
    expect(await claimDelivery(db, 'a', RUN, 0)).toBe(false);
    await releaseDelivery(db, 'a');
    expect(await claimDelivery(db, 'a', RUN, 0)).toBe(false);
    // Failed again and again, it is due later and later, up to a minute.
    await claimDelivery(db, 'b', RUN, 0);
    for (let n = 0; n < 20; n++) await releaseDelivery(db, 'b');
    const [row] = await db<Array<{ due_at: string }>>`SELECT due_at FROM deliveries WHERE id = 'b'`;
    const due = Date.parse(row!.due_at) - Date.now();
    expect(due).toBeGreaterThan(30_000);
    expect(due).toBeLessThan(90_000);
    await close();
  });
});

describe('webhooks', () => {
  let world: World;
  beforeAll(async () => {
    // Polls so rare that only a webhook can end a build within a test.
    world = await openWorld('server', { GITHUB_WEBHOOK_SECRET: SECRETS.join(','), GITHUB_POLL_INTERVAL: '10m' });
  });
  afterAll(() => world.close());

  const sign = (body: string, secret = SECRETS[0]!) =>
    `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  const deliver = (body: object | string, headers: Record<string, string> = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return world.call('POST', '/webhooks/github', text, {
      'content-type': 'application/json',
      'x-github-event': 'workflow_run',
      'x-github-delivery': randomUUID(),
      'x-hub-signature-256': sign(text),
      ...headers,
    });
  };
  const about = (runId: number, title = 'Build') => ({
    action: 'completed',
    workflow_run: { id: runId, display_title: title, status: 'completed', conclusion: 'success' },
  });
  type Told = { events: Array<{ event_data?: Record<string, unknown> | undefined }> };
  const handleOf = (build: Told) => world.client.workflow.getHandle(String(build.events[0]?.event_data?.workflow_id));
  const running = async () => {
    const { json } = await world.trigger({ ref: `hook-${randomUUID()}`, inputs: { simulate: 'stuck' } });
    return eventually(async () => {
      const build = await world.build(json.id);
      expect(build.events.at(-1)?.event_type).toBe('run_updated');
      // The poll has looked and waits: what happens from here on, a webhook is the first to tell.
      const { raw } = await handleOf(build).describe();
      expect(raw.pendingActivities?.[0]?.attempt).toBeGreaterThan(1);
      return build;
    });
  };

  it('end a build at once: GitHub says it, a webhook made us look', async () => {
    const build = await running();
    await world.github.force(build.workflow_run_id!, 'completed', 'success');
    const delivery = randomUUID();
    expect((await deliver(about(build.workflow_run_id!), { 'x-github-delivery': delivery })).status).toBe(202);
    const ended = await world.ended(build.id);
    expect(ended).toMatchObject({ status: 'success' });
    expect(ended.events.at(-1)?.event_data).toMatchObject({
      learned_from: 'webhook',
      delivery_id: delivery,
      request_id: expect.stringMatching(/^SIM:/),
    });
  });

  it('that GitHub does not confirm change nothing', async () => {
    const build = await running();
    await deliver(about(build.workflow_run_id!));
    const { requests } = await world.github.oracle();
    await deliver(about(build.workflow_run_id!));
    await eventually(async () => expect((await world.github.oracle()).requests.get).toBeGreaterThan(requests.get!));
    expect((await world.build(build.id)).events).toEqual(build.events);
    await world.github.force(build.workflow_run_id!, 'completed', 'failure');
    await deliver(about(build.workflow_run_id!));
    expect(await world.ended(build.id)).toMatchObject({ status: 'failure', conclusion: 'failure' });
  });

  it('delivered again wake nobody again', async () => {
    const build = await running();
    const delivery = randomUUID();
    const headers = { 'x-github-delivery': delivery };
    const signals = async () => {
      const { events } = await handleOf(build).fetchHistory();
      return events!.filter((event) => event.workflowExecutionSignaledEventAttributes);
    };
    const looks = async () => (await world.github.oracle()).requests.get!;
    const before = await looks();
    await deliver(about(build.workflow_run_id!), headers);
    // It has looked, so the end of the run is left to the next delivery.
    await eventually(async () => expect(await looks()).toBeGreaterThan(before));
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => deliver(about(build.workflow_run_id!), headers)),
    );
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([202]));
    // A new delivery as the oracle: its wake-up is the only one that shows.
    await world.github.force(build.workflow_run_id!, 'completed', 'success');
    await deliver(about(build.workflow_run_id!));
    await world.ended(build.id);
    expect(await signals()).toHaveLength(2);
  });

  it('are remembered for as long as GitHub sends them again, and not for ever', async () => {
    const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
    const { db } = world;
    const taken = [
      { id: 'recent', received_at: daysAgo(5), settled: true },
      { id: 'old', received_at: daysAgo(7), settled: true },
    ];
    await db`INSERT INTO deliveries ${db(taken)}`;
    await deleteExpired(db);
    expect(await db`SELECT FROM deliveries WHERE id = 'old'`).toHaveLength(0);
    expect(await claimDelivery(world.db, 'recent', RUN, 60_000)).toBe(false);
  });

  it('from the simulated GitHub itself: a build ends without a poll', async () => {
    await world.github.set({ webhook: { url: `${world.url}/webhooks/github`, secret: SECRETS[1] } });
    const { id, workflow_run_id } = await running();
    await world.github.force(workflow_run_id!, 'completed', 'success');
    expect((await world.ended(id)).events.at(-1)?.event_data).toMatchObject({ learned_from: 'webhook' });
    await world.github.set({ webhook: null });
  });

  it('without a signature that fits are refused', async () => {
    const body = JSON.stringify(about(1));
    for (const signature of [
      '',
      'sha256=',
      `sha256=${'0'.repeat(64)}`,
      'sha1=x',
      sign(body, 'another'),
      sign(`${body} `),
    ]) {
      const { status, json } = await deliver(body, { 'x-hub-signature-256': signature });
      expect([status, json.code]).toEqual([401, 'unauthorized']);
    }
    expect((await deliver(body, { 'x-hub-signature-256': sign(body, SECRETS[1]) })).status).toBe(202);
  });

  describe('about a run that somebody runs again in GitHub', () => {
    beforeAll(() => world.github.set({ webhook: { url: `${world.url}/webhooks/github`, secret: SECRETS[0] } }));
    afterAll(() => world.github.set({ webhook: null }));

    const ended = async (simulate: string) => {
      const { json } = await world.trigger({ ref: `again-${randomUUID()}`, inputs: { simulate } });
      return world.ended(json.id);
    };
    const runAgain = (runId: number) => world.github.control('POST', `/runs/${runId}`, { action: 'rerun' });

    it.each([
      ['flaky', 'failure', 'success'],
      ['success', 'success', 'success'],
      ['cancelled', 'cancelled', 'cancelled'],
    ])('%s: the build that ended as %s goes on, and ends as %s', async (simulate, first, last) => {
      const build = await ended(simulate);
      expect(build.status).toBe(first);
      await runAgain(build.workflow_run_id!);
      const again = await eventually(async () => {
        const now = await world.build(build.id);
        expect(now).toMatchObject({ status: last, run_attempt: 2, attempts: 1 });
        return now;
      });
      const reopened = again.events.find((event) => event.event_type === 'build_reopened');
      expect(reopened).toMatchObject({
        from_status: first,
        to_status: 'in_progress',
        event_data: { workflow_run_id: build.workflow_run_id, run_attempt: 2, learned_from: 'webhook' },
      });
      expect(reopened?.event_data?.delivery_id).toMatch(/^[0-9a-f-]{36}$/);
      expect((await world.call('GET', `/builds/${build.id}/verify`)).json.valid).toBe(true);
      // And once more.
      await runAgain(build.workflow_run_id!);
      await eventually(async () => expect(await world.build(build.id)).toMatchObject({ status: last, run_attempt: 3 }));
    });

    it('at once: the first begins the build again, and no other is lost', async () => {
      const build = await ended('failure');
      const body = about(build.workflow_run_id!);
      const said = { ...body, action: 'in_progress', workflow_run: { ...body.workflow_run, run_attempt: 2 } };
      const handle = handleOf(build);
      await eventually(async () => expect((await handle.describe()).status.name).toBe('COMPLETED'));
      await world.stopWorker();
      await Promise.all(Array.from({ length: 8 }, () => deliver(said)));
      await eventually(async () => {
        const { events } = await handle.fetchHistory();
        expect(events!.filter((event) => event.workflowExecutionSignaledEventAttributes)).toHaveLength(8 - 1);
      });
      await world.startWorker();
    });

    it('is ignored where the build was erased: nothing can be begun again', async () => {
      const build = await ended('failure');
      await eventually(async () => {
        const { json } = await world.call('POST', '/erasures', { ids: [`build:${build.id}`] });
        expect(json.done).toEqual([`build:${build.id}`]);
      });
      const since = new Date().toISOString();
      await runAgain(build.workflow_run_id!);
      await eventually(async () => {
        const [told] = await world.db<[{ settled: number; open: number }]>`
          SELECT count(*) FILTER (WHERE settled) AS settled, count(*) FILTER (WHERE NOT settled) AS open FROM deliveries
          WHERE received_at >= ${since}::timestamptz`;
        expect(told.settled).toBeGreaterThan(0);
        expect(told.open).toBe(0);
      });
      const { events } = await world.build(build.id);
      expect(events.at(-1)?.event_type).toBe('build_erased');
      await eventually(() => expect(handleOf(build).describe()).rejects.toThrow(WorkflowNotFoundError));
    });

    it('while Temporal is away is not lost: another process begins the build again once it can', async () => {
      const build = await ended('failure');
      await eventually(async () => expect((await handleOf(build).describe()).status.name).toBe('COMPLETED'));
      await world.github.set({ webhook: null });
      await runAgain(build.workflow_run_id!);
      const { client } = await lazyTemporalClient({ TEMPORAL_NAMESPACE: world.namespace, address: '127.0.0.1:1' });
      const webhooks = webhooksOf(readSettings({ GITHUB_WEBHOOK_SECRET: SECRETS.join(',') }));
      const cutOff = await startAnotherApi({ ...world, client }, { webhooks });
      const body = about(build.workflow_run_id!);
      const text = JSON.stringify({ ...body, workflow_run: { ...body.workflow_run, run_attempt: 2 } });
      const delivery = randomUUID();
      const { status } = await cutOff.call('POST', '/webhooks/github', text, {
        'content-type': 'application/json',
        'x-github-event': 'workflow_run',
        'x-github-delivery': delivery,
        'x-hub-signature-256': sign(text),
      });
      expect(status).toBe(202);
      const again = await eventually(async () => {
        const now = await world.build(build.id);
        expect(now.run_attempt).toBe(2);
        return now;
      }, 120_000);
      const reopened = again.events.find((event) => event.event_type === 'build_reopened');
      expect(reopened?.event_data).toMatchObject({ delivery_id: delivery });
      await world.github.set({ webhook: { url: `${world.url}/webhooks/github`, secret: SECRETS[0] } });
    });

    it('is restored where the record lost the build after it had ended once more', async () => {
      const build = await ended('failure');
      await eventually(async () => expect((await handleOf(build).describe()).status.name).toBe('COMPLETED'));
      await runAgain(build.workflow_run_id!);
      await eventually(async () => {
        expect(await world.build(build.id)).toMatchObject({ status: 'failure', run_attempt: 2 });
        expect((await handleOf(build).describe()).status.name).toBe('COMPLETED');
      });
      const owner = postgres(world.databaseUrl, { max: 1, onnotice: () => {} });
      onTestFinished(() => owner.end());
      await owner`ALTER TABLE events DISABLE TRIGGER ALL`;
      await owner`DELETE FROM events WHERE stream = ${`build:${build.id}`}`;
      await owner`DELETE FROM builds WHERE id = ${build.id}`;
      await owner`ALTER TABLE events ENABLE TRIGGER ALL`;
      const reconciled = await reconcileWorld(world);
      expect(reconciled.lines).toContain(
        `build:${build.id} is ahead in Temporal: the record has lost events: restored`,
      );
      const restored = await world.build(build.id);
      const { conclusion, workflow_run_id, run_url } = build;
      expect(restored).toMatchObject({ status: 'failure', conclusion, workflow_run_id, run_url, run_attempt: 2 });
    });

    it('that GitHub does not confirm change nothing', async () => {
      const build = await ended('failure');
      const body = about(build.workflow_run_id!);
      const said = { ...body, action: 'requested', workflow_run: { ...body.workflow_run, run_attempt: 9 } };
      const gets = async () => (await world.github.oracle()).requests.get!;
      const handle = handleOf(build);
      const closed = () => eventually(async () => expect((await handle.describe()).status.name).toBe('COMPLETED'));
      await closed();
      const before = await gets();
      expect((await deliver(said)).status).toBe(202);
      await eventually(async () => expect(await gets()).toBeGreaterThan(before));
      await closed();
      expect(await handle.result()).toMatchObject({ status: 'not_run_again' });
      expect(await world.build(build.id)).toEqual(build);
    });
  });

  it('without the record are refused with 503, so that GitHub lists them as failed and is asked for them again', async () => {
    const webhooks = webhooksOf(readSettings({ GITHUB_WEBHOOK_SECRET: SECRETS.join(',') }));
    const cutOff = await startCutOffApi(world, { webhooks });
    const body = JSON.stringify(about(1));
    const { status, json } = await cutOff.call('POST', '/webhooks/github', body, {
      'content-type': 'application/json',
      'x-github-event': 'workflow_run',
      'x-github-delivery': randomUUID(),
      'x-hub-signature-256': sign(body),
    });
    expect([status, json.code]).toEqual([503, 'database_unavailable']);
  });

  it('of every kind that GitHub documents are taken', async () => {
    expect(EXAMPLES.map((example) => example.name)).toContain('workflow_run');
    for (const { name, examples } of EXAMPLES) {
      const { status } = await deliver(JSON.stringify(examples[0]), { 'x-github-event': name });
      expect([name, status]).toEqual([name, 202]);
    }
  });

  it('are refused where no secret is configured', async () => {
    const closed = await openWorld('server');
    try {
      const body = JSON.stringify(about(1));
      const { status } = await closed.call('POST', '/webhooks/github', body, {
        'content-type': 'application/json',
        'x-hub-signature-256': sign(body, ''),
      });
      expect(status).toBe(404);
    } finally {
      await closed.close();
    }
  });
});
