import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BuildView } from '../../src/contracts/builds/build.ts';
import { BUILDS } from '../../src/store/builds/build-stream.ts';
import { appendEvent } from '../../src/store/record/event-append.ts';
import { adoptSignal, retrySignal } from '../../src/workflows/messages.ts';
import { CARRIED_OUT } from '../simulator/harness.ts';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';

describe('a dispatch that goes wrong', () => {
  let world: World;
  let before: Awaited<ReturnType<World['github']['oracle']>>;
  let n = 0;

  beforeAll(async () => {
    world = await openWorld('server');
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    await world.github.control('DELETE', '/faults');
    await world.github.set({ declares_correlation: true, echoes_correlation: true });
    before = await world.github.oracle();
  });

  const trigger = async () => (await world.trigger({ ref: `fault-${++n}` })).json.id as number;

  /** The oracle: what GitHub really did since the test began, for this build. */
  async function oracle(build: BuildView) {
    const now = await world.github.oracle();
    const tokens = build.events
      .filter(({ event_type }) => event_type === 'dispatch_intended')
      .map(({ event_data }) => String(event_data?.token));
    return {
      runs: now.runs - before.runs,
      posts: now.dispatch_requests - before.dispatch_requests,
      perToken: tokens.map((token) => now.runs_per_token[token] ?? 0),
    };
  }

  it.each(CARRIED_OUT)(
    '%s: the run that GitHub made is found and followed to its end, and no other is made',
    async (kind) => {
      await world.github.fault({ on: 'dispatch', kind });
      const build = await world.ended(await trigger());
      expect(build).toMatchObject({ status: 'success', attempts: 1 });
      expect(build.events.map((event) => event.event_type)).toContain('dispatch_ambiguous');
      expect(await oracle(build)).toEqual({ runs: 1, posts: 1, perToken: [1] });
    },
  );

  it.each(['reject-with-503', 'reset', 'hang'])(
    '%s: another is sent only after a whole window without a run',
    async (kind) => {
      await world.github.fault({ on: 'dispatch', kind });
      const build = await world.ended(await trigger());
      expect(build).toMatchObject({ status: 'success', attempts: 2 });
      expect(await oracle(build)).toEqual({ runs: 1, posts: 2, perToken: [0, 1] });
      const at = (type: string) =>
        Date.parse(build.events.findLast((event) => event.event_type === type)?.timestamp ?? '');
      // RECONCILE_WINDOW of this world is 600 ms.
      expect(at('dispatch_absent') - at('dispatch_ambiguous')).toBeGreaterThanOrEqual(600);
    },
  );

  it.each(['primary-rate-limit', 'secondary-rate-limit'])(
    '%s: it waits as told, and the wait counts for nothing',
    async (kind) => {
      await world.github.fault({ on: 'dispatch', kind, retry_after_s: 1, reset_in_s: 1, times: 4 });
      const build = await world.ended(await trigger());
      expect(build.status).toBe('success');
      expect(build.events.filter((event) => event.event_type === 'dispatch_delayed')).toHaveLength(4);
      expect((await oracle(build)).runs).toBe(1);
    },
  );

  it('400 to the unknown field: it asks again without it, and looks for its run by the token', async () => {
    // A world of its own: what a process has learned about its GitHub it keeps.
    const old = await openWorld('server');
    try {
      await old.github.set({ knows_run_details: false });
      const ended = await Promise.all(['a', 'b'].map(async (ref) => old.ended((await old.trigger({ ref })).json.id)));
      for (const build of ended) expect(build).toMatchObject({ status: 'success', attempts: 1 });
      const { runs, runs_per_token } = await old.github.oracle();
      expect([runs, ...Object.values(runs_per_token)]).toEqual([2, 1, 1]);
    } finally {
      await old.close();
    }
  });

  it('an input that the workflow does not declare: it is left out', async () => {
    await world.github.set({ declares_correlation: false });
    const build = await world.ended(await trigger());
    expect(build.status).toBe('success');
    expect(build.events.find((event) => event.event_type === 'workflow_triggered')?.event_data).toMatchObject({
      correlated: false,
    });
    expect((await oracle(build)).runs).toBe(1);
  });

  it("a refusal ends the build with GitHub's words, and nothing is sent again", async () => {
    await world.github.fault({ on: 'dispatch', kind: 'reject-with-422', message: 'No ref found for: nowhere' });
    const build = await world.ended(await trigger());
    expect(build).toMatchObject({ status: 'failure', conclusion: 'dispatch_rejected' });
    expect(build.events.find((event) => event.event_type === 'dispatch_rejected')?.event_data).toMatchObject({
      status: 422,
      message: 'No ref found for: nowhere',
    });
    await eventually(async () =>
      expect((await world.build(build.id)).events.at(-1)?.event_type).toBe('build_dead_lettered'),
    );
    expect(await oracle(build)).toMatchObject({ runs: 0, posts: 1 });
  });

  it('an endless doubt ends after the last retry, as a dead letter', async () => {
    await world.github.fault({ on: 'dispatch', kind: 'reject-with-503', times: 4 });
    const build = await world.ended(await trigger());
    expect(build).toMatchObject({ status: 'failure', conclusion: 'dispatch_failed', attempts: 4 });
    await eventually(async () =>
      expect((await world.build(build.id)).events.at(-1)?.event_type).toBe('build_dead_lettered'),
    );
    expect(await oracle(build)).toEqual({ runs: 0, posts: 4, perToken: [0, 0, 0, 0] });
  });

  it('listings that lag do not lead to a second run', async () => {
    await world.github.fault(
      { on: 'dispatch', kind: 'accept-then-502' },
      { on: 'list', kind: 'omit', count: null, times: 2 },
      { on: 'list', kind: 'reject-with-502' },
    );
    const build = await world.ended(await trigger());
    expect(await oracle(build)).toEqual({ runs: 1, posts: 1, perToken: [1] });
  });

  it('a run that shows up after it was given up is cancelled and recorded', async () => {
    // Longer than every reading of the window: the run is there, and no listing says so.
    await world.github.fault(
      { on: 'dispatch', kind: 'accept-then-502' },
      { on: 'list', kind: 'omit', count: null, times: 5 },
    );
    const { id } = (await world.trigger({ ref: `fault-${++n}`, inputs: { simulate: 'stuck' } })).json;
    const late = await eventually(async () => {
      const event = (await world.build(id)).events.find(({ event_type }) => event_type === 'late_run_cancelled');
      expect(event).toBeDefined();
      return event?.event_data?.workflow_run_id;
    });
    await world.github.force((await world.build(id)).workflow_run_id!, 'completed', 'success');
    const build = await world.ended(id);
    expect(build).toMatchObject({ status: 'success', attempts: 2 });
    expect(await oracle(build)).toEqual({ runs: 2, posts: 2, perToken: [1, 1] });
    expect(late).not.toBe(build.workflow_run_id);
    await eventually(async () => {
      const run = (await world.github.runs()).find((candidate) => candidate.id === late);
      expect(run).toMatchObject({ status: 'completed', conclusion: 'cancelled' });
    });
  });

  it('a doubt about a workflow that echoes no token waits for the operator, who adopts the run', async () => {
    await world.github.set({ echoes_correlation: false });
    await world.github.fault({ on: 'dispatch', kind: 'accept-then-reset' });
    const id = await trigger();
    const waiting = await eventually(async () => {
      const build = await world.build(id);
      expect(build.needs_attention).toBe(true);
      return build;
    });
    expect(await oracle(waiting)).toMatchObject({ runs: 1, posts: 1 });
    const [run] = await world.github.runs();
    const workflowId = String(waiting.events[0]?.event_data?.workflow_id);
    await world.client.workflow.getHandle(workflowId).signal(adoptSignal, { run_id: run!.id });
    expect(await world.ended(id)).toMatchObject({
      status: 'success',
      workflow_run_id: run!.id,
      needs_attention: false,
    });
  });

  it('a doubt that the operator settles with retry is sent again', async () => {
    await world.github.set({ declares_correlation: false });
    await world.github.fault(
      { on: 'dispatch', kind: 'reject-with-422', message: 'Unexpected inputs provided: ["hapax_id"]' },
      { on: 'dispatch', kind: 'reset' },
    );
    const id = await trigger();
    const waiting = await eventually(async () => {
      const build = await world.build(id);
      expect(build.needs_attention).toBe(true);
      return build;
    });
    await world.client.workflow.getHandle(String(waiting.events[0]?.event_data?.workflow_id)).signal(retrySignal);
    expect(await world.ended(id)).toMatchObject({ status: 'success', attempts: 2 });
  });

  it('a run that outlives the deadline is cancelled and the build says timed_out', async () => {
    const slow = await openWorld('server', { BUILD_DEADLINE: '1s' });
    try {
      const { json } = await slow.trigger({ ref: 'slow', inputs: { simulate: 'stuck' } });
      expect(await slow.ended(json.id)).toMatchObject({ status: 'failure', conclusion: 'timed_out' });
      const [run] = await slow.github.runs();
      expect(run).toMatchObject({ status: 'completed', conclusion: 'cancelled' });
    } finally {
      await slow.close();
    }
  });

  it('a run that is deleted ends the build', async () => {
    const { json } = await world.trigger({ ref: 'deleted', inputs: { simulate: 'stuck' } });
    const runId = await eventually(async () => {
      const { workflow_run_id } = await world.build(json.id);
      expect(workflow_run_id).toEqual(expect.anything());
      return workflow_run_id;
    });
    await world.github.control('POST', `/runs/${runId}`, { action: 'delete' });
    expect(await world.ended(json.id)).toMatchObject({ status: 'failure', conclusion: 'run_deleted' });
  });

  it.each(['queue', 'direct'])(
    'an equal request while the workflow of a failed build is still open is refused, and then makes a build (%s)',
    async (dispatch) => {
      const content = { repository: 'acme/images', workflow: 'build.yml', dispatch };
      await world.call('PUT', `/configs/by-name/${dispatch}`, content);
      const request = { config: dispatch, ref: `slow-to-close-${dispatch}`, inputs: { simulate: 'stuck' } };
      const { id } = (await world.trigger(request)).json;
      const { events } = await eventually(async () => {
        const build = await world.build(id);
        expect(build.workflow_run_id).toEqual(expect.anything());
        return build;
      });
      const workflowId = String(events[0]?.event_data?.workflow_id);
      // The worker is lost after it has recorded the failure, and before the workflow closes.
      await world.stopWorker();
      const data = { conclusion: 'failure', run_attempt: 1, learned_from: 'poll', request_id: null } as const;
      const occurred_at = new Date().toISOString();
      await appendEvent(world.db, BUILDS, id, { type: 'build_completed', data, occurred_at, dedupe_key: 'completed' });
      const refused = await world.trigger(request);
      expect([refused.status, refused.json.code]).toEqual([503, 'still_closing']);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(refused.json.detail).toContain(`build ${id}`);
      expect((await world.github.oracle()).dispatch_requests - before.dispatch_requests).toBe(1);
      await world.client.workflow.getHandle(workflowId).terminate('closed at last');
      await world.startWorker();
      const again = await world.trigger(request);
      expect([again.status, again.headers.has('idempotent-replayed')]).toEqual([202, false]);
      expect(again.json.id).toBeGreaterThan(id);
      expect((await world.call('POST', `/builds/${again.json.id}/cancel`, {})).status).toBe(202);
      expect(await world.ended(again.json.id)).toMatchObject({ status: 'cancelled' });
    },
  );

  it('polling neither grows the history nor counts against the rate limit while nothing changes', async () => {
    const { json } = await world.trigger({ ref: 'quiet', inputs: { simulate: 'stuck' } });
    const workflowId = await eventually(async () => {
      const build = await world.build(json.id);
      expect(build.events.at(-1)?.event_data).toMatchObject({ run_status: 'in_progress' });
      return String(build.events[0]?.event_data?.workflow_id);
    });
    const handle = world.client.workflow.getHandle(workflowId);
    // The event stands before the workflow task that told it has ended; then the activity that polls is pending.
    const { historyLength } = await eventually(async () => {
      const described = await handle.describe();
      expect(described.raw.pendingActivities?.[0]?.activityType?.name).toBe('awaitRunChange');
      expect(described.raw.pendingWorkflowTask ?? null).toBeNull();
      return described;
    });
    const { not_modified, requests } = await world.github.oracle();
    await eventually(async () => expect((await world.github.oracle()).not_modified).toBeGreaterThan(not_modified + 5));
    expect((await handle.describe()).historyLength).toBe(historyLength);
    expect((await world.github.oracle()).requests.get).toBe(requests.get);
    await handle.terminate('end of the test');
  });
});
