import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILDS } from '../../src/store/builds/build-stream.ts';
import { appendEvent } from '../../src/store/record/event-append.ts';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';

describe('an operator', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld('server');
  });
  afterAll(() => world.close());

  const trigger = async (inputs: object = {}) =>
    (await world.trigger({ ref: `operate-${randomUUID()}`, inputs })).json.id as number;
  const post = (path: string, body: object = {}) => world.call('POST', path, body);
  const typesOf = async (id: number) => (await world.build(id)).events.map((event) => event.event_type);
  const runsOf = async (id: number) => {
    const { ref } = await world.build(id);
    return (await world.github.runs()).filter((run) => run.display_title.includes(ref));
  };
  const following = (id: number) =>
    eventually(async () => {
      const build = await world.build(id);
      expect(build.events.at(-1)?.event_type).toBe('run_updated');
      return build;
    });

  describe('cancels', () => {
    it('before the dispatch: nothing is sent', async () => {
      await world.stopWorker();
      const id = await trigger();
      const answer = await post(`/builds/${id}/cancel`);
      expect([answer.status, answer.json]).toEqual([202, { id, status: 'queued', message: 'Cancel requested' }]);
      await world.startWorker();
      expect(await world.ended(id)).toMatchObject({ status: 'cancelled', conclusion: 'cancelled', attempts: 0 });
      expect(await runsOf(id)).toEqual([]);
      expect(await typesOf(id)).toEqual(['build_queued', 'build_started', 'cancel_requested', 'build_cancelled']);
    });

    it('while the dispatch waits: no further one is sent', async () => {
      await world.github.fault({ on: 'dispatch', kind: 'primary-rate-limit', reset_in_s: 600 });
      const id = await trigger();
      await eventually(async () => expect(await typesOf(id)).toContain('dispatch_delayed'));
      await post(`/builds/${id}/cancel`);
      expect(await world.ended(id)).toMatchObject({ status: 'cancelled', conclusion: 'cancelled' });
      expect(await runsOf(id)).toEqual([]);
      await world.liftLimits();
    });

    it('after the dispatch: the run is cancelled and followed to its end', async () => {
      const id = await trigger({ simulate: 'stuck' });
      await following(id);
      expect((await post(`/builds/${id}/cancel`)).status).toBe(202);
      expect(await world.ended(id)).toMatchObject({ status: 'cancelled', conclusion: 'cancelled' });
      expect(await runsOf(id)).toMatchObject([{ status: 'completed', conclusion: 'cancelled' }]);
      expect((await typesOf(id)).slice(-2)).toEqual(['cancel_requested', 'build_cancelled']);
    });

    it("with Temporal's own cancel just as well", async () => {
      const id = await trigger({ simulate: 'stuck' });
      const build = await following(id);
      await world.client.workflow.getHandle(String(build.events[0]?.event_data?.workflow_id)).cancel();
      expect(await world.ended(id)).toMatchObject({ status: 'cancelled', conclusion: 'cancelled' });
      expect(await runsOf(id)).toMatchObject([{ conclusion: 'cancelled' }]);
    });

    it('not what has ended, nor what there never was', async () => {
      const id = await trigger();
      await world.ended(id);
      const late = await post(`/builds/${id}/cancel`);
      expect([late.status, late.json.code]).toEqual([409, 'state_conflict']);
      expect((await post('/builds/987654/cancel')).status).toBe(404);
    });
  });

  describe('retries a failed build', () => {
    const failed = async (simulate = 'failure') => {
      const id = await trigger({ simulate });
      expect((await world.ended(id)).status).toBe('failure');
      return id;
    };

    it('by running its run again, the same run with another attempt', async () => {
      const id = await failed('flaky');
      const answer = await post(`/builds/${id}/retry`);
      expect([answer.status, answer.json]).toEqual([202, { id, status: 'queued', message: 'Build queued again' }]);
      const build = await eventually(async () => {
        const seen = await world.build(id);
        expect(seen.status).toBe('success');
        return seen;
      });
      expect(build).toMatchObject({ conclusion: 'success', run_attempt: 2, retries: 1, attempts: 1 });
      expect(await runsOf(id)).toMatchObject([{ run_attempt: 2 }]);
      const types = build.events.map((event) => event.event_type);
      expect(types.slice(types.indexOf('build_retried')).filter((type) => type !== 'run_updated')).toEqual([
        'build_retried',
        'build_started',
        'rerun_intended',
        'build_completed',
      ]);
    });

    it('by running only the failed jobs again', async () => {
      const id = await failed('flaky');
      await post(`/builds/${id}/retry`, { mode: 'rerun_failed' });
      await eventually(async () => expect(await world.build(id)).toMatchObject({ status: 'success', run_attempt: 2 }));
    });

    it('by another dispatch', async () => {
      const id = await failed();
      const first = (await world.build(id)).workflow_run_id;
      await post(`/builds/${id}/retry`, { mode: 'redispatch' });
      await eventually(async () => {
        const build = await world.build(id);
        expect(build).toMatchObject({ status: 'failure', retries: 1, attempts: 2 });
        expect(build.workflow_run_id).not.toBe(first);
      });
      expect(await runsOf(id)).toHaveLength(2);
    });

    it.each(['accept-then-502', 'accept-then-reset', 'reset'])(
      'once, also where the answer to the re-run is in doubt (%s)',
      async (kind) => {
        const id = await failed('flaky');
        await world.github.fault({ on: 'rerun', kind });
        await post(`/builds/${id}/retry`);
        await eventually(async () =>
          expect(await world.build(id)).toMatchObject({ status: 'success', run_attempt: 2 }),
        );
        expect(await runsOf(id)).toMatchObject([{ run_attempt: 2 }]);
      },
    );

    it('once, however many ask at once', async () => {
      const id = await failed();
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => post(`/builds/${id}/retry`, { mode: 'redispatch' })),
      );
      expect(answers.filter((answer) => answer.status === 202).length).toBeGreaterThanOrEqual(1);
      expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([202, 409]));
      const { retries, attempts } = await eventually(async () => {
        const build = await world.build(id);
        expect(build).toMatchObject({ status: 'failure', retries: expect.any(Number) });
        expect(build.retries).toBeGreaterThan(0);
        return build;
      });
      expect(attempts).toBe(retries + 1);
      expect(await runsOf(id)).toHaveLength(attempts);
    });

    it('only when its workflow has closed; until then, it says that it should be asked again', async () => {
      const id = await trigger({ simulate: 'stuck' });
      const { events } = await following(id);
      // The worker is lost after it has recorded the failure, and before the workflow closes.
      await world.stopWorker();
      const data = { conclusion: 'failure', run_attempt: 1, learned_from: 'poll', request_id: null } as const;
      const occurred_at = new Date().toISOString();
      await appendEvent(world.db, BUILDS, id, { type: 'build_completed', data, occurred_at, dedupe_key: 'completed' });
      const refused = await post(`/builds/${id}/retry`, { mode: 'redispatch' });
      expect([refused.status, refused.json.code]).toEqual([503, 'still_closing']);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(refused.json.detail).toContain(`build ${id} has ended`);
      // Among many, it holds back none of the others.
      const many = await post('/builds/retry', { ids: [id] });
      expect(many).toMatchObject({ status: 202, json: { done: [], refused: [{ id, detail: refused.json.detail }] } });
      await world.client.workflow.getHandle(String(events[0]?.event_data?.workflow_id)).terminate('closed at last');
      await world.startWorker();
      expect((await post(`/builds/${id}/retry`, { mode: 'redispatch' })).status).toBe(202);
      expect((await post(`/builds/${id}/cancel`)).status).toBe(202);
      expect(await world.ended(id)).toMatchObject({ status: 'cancelled', retries: 1 });
    });

    it('and not one that succeeded, or one without a run by running it again', async () => {
      const id = await trigger();
      await world.ended(id);
      expect((await post(`/builds/${id}/retry`)).json.code).toBe('state_conflict');
      expect((await post(`/builds/${id}/retry`, { mode: 'again' })).status).toBe(400);
      await world.github.fault({ on: 'dispatch', kind: 'reject-with-422' });
      const unsent = await trigger();
      await world.ended(unsent);
      expect((await post(`/builds/${unsent}/retry`, { mode: 'rerun' })).json).toMatchObject({
        code: 'state_conflict',
        detail: expect.stringContaining('redispatch'),
      });
    });
  });

  describe('settles a doubt over HTTP', () => {
    const doubtful = async () => {
      await world.github.set({ echoes_correlation: false });
      await world.github.fault({ on: 'dispatch', kind: 'accept-then-reset' });
      const id = await trigger();
      await eventually(async () => expect((await world.build(id)).needs_attention).toBe(true));
      await world.github.set({ echoes_correlation: true });
      return id;
    };

    it('with the run to adopt, once', async () => {
      const id = await doubtful();
      const [run] = await runsOf(id);
      expect((await post(`/builds/${id}/adopt`, { run_id: 12 })).status).toBe(202);
      await eventually(async () => expect((await world.build(id)).reason).toMatch(/ has no run 12; /));
      expect((await post(`/builds/${id}/adopt`, { run_id: run?.id })).status).toBe(202);
      expect(await world.ended(id)).toMatchObject({
        status: 'success',
        workflow_run_id: run?.id,
        run_url: expect.stringMatching(new RegExp(`/actions/runs/${run?.id}$`)),
      });
      expect((await post(`/builds/${id}/adopt`, { run_id: run?.id })).status).toBe(409);
    });

    it('or says what is left to do where its workflow is gone', async () => {
      const id = await doubtful();
      const workflowId = String((await world.build(id)).events[0]?.event_data?.workflow_id);
      await world.client.workflow.getHandle(workflowId).terminate();
      for (const answer of [await post(`/builds/${id}/adopt`, { run_id: 1 }), await post(`/builds/${id}/retry`)]) {
        expect(answer.json).toMatchObject({ status: 409, detail: expect.stringContaining(`/builds/${id}/cancel`) });
      }
      await post(`/builds/${id}/cancel`);
      expect(await world.build(id)).toMatchObject({ status: 'cancelled' });
    });

    it('with cancel', async () => {
      const id = await doubtful();
      await post(`/builds/${id}/cancel`);
      expect(await world.ended(id)).toMatchObject({ status: 'cancelled' });
    });
  });

  describe('empties the dead letters', () => {
    const dead = async () => {
      await world.github.fault({ on: 'dispatch', kind: 'reject-with-422', message: 'No ref found for: nowhere' });
      const id = await trigger();
      await eventually(async () => expect((await typesOf(id)).at(-1)).toBe('build_dead_lettered'));
      return id;
    };
    const listed = async () =>
      (await world.call('GET', '/dlq?limit=200')).json.dead_letters.map(
        (letter: { id: string }) => letter.id,
      ) as string[];

    it('one by one: inspected with its whole story, redriven once', async () => {
      const id = await dead();
      expect(await listed()).toContain(`build:${id}`);
      const { json } = await world.call('GET', `/dlq/build:${id}`);
      expect(json).toMatchObject({
        kind: 'build',
        reason: expect.stringContaining('No ref found for: nowhere'),
        needs_attention: false,
        build: { id },
      });
      expect(
        json.events.find((event: { event_type: string }) => event.event_type === 'dispatch_rejected').event_data.status,
      ).toBe(422);
      expect((await post(`/dlq/build:${id}/redrive`)).status).toBe(202);
      expect((await post(`/dlq/build:${id}/redrive`)).status).toBe(404);
      await eventually(async () => expect(await world.build(id)).toMatchObject({ status: 'success', retries: 1 }));
      expect(await runsOf(id)).toHaveLength(1);
      expect(await listed()).not.toContain(`build:${id}`);
    });

    it('by discarding: the letter goes, build and events stay', async () => {
      const id = await dead();
      const before = await typesOf(id);
      expect((await world.call('DELETE', `/dlq/build:${id}`)).status).toBe(204);
      expect((await world.call('DELETE', `/dlq/build:${id}`)).status).toBe(404);
      expect(await listed()).not.toContain(`build:${id}`);
      expect(await typesOf(id)).toEqual([...before, 'dead_letter_discarded']);
    });

    it('many by filter', async () => {
      const ids = [await dead(), await dead()];
      const { ref } = await world.build(ids[0]!);
      expect((await post('/dlq/redrive', { ref })).json).toEqual({
        redriven: [`build:${ids[0]}`],
        refused: [],
        next_cursor: null,
      });
      expect((await post('/dlq/redrive', {})).json.redriven).toContain(`build:${ids[1]}`);
      for (const id of ids) await eventually(async () => expect((await world.build(id)).status).toBe('success'));
    });

    it.each(['/dlq/12', '/dlq/task:', '/dlq/build:0', '/dlq?status=failure'])('%s is a bad request', async (path) => {
      expect((await world.call('GET', path)).status).toBe(400);
    });
  });
});
