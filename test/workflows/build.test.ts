import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DispatchOutcome } from '../../src/contracts/github/github.ts';
import { ForgeError } from '../../src/integrations/forges/forge-error.ts';
import { adoptSignal, cancelSignal, retrySignal, stateQuery } from '../../src/workflows/messages.ts';
import { eventually } from '../world/eventually.ts';
import { hasTestServer } from '../world/test-server.ts';
import { endedAs, rerunAt, withRun } from './earlier-events.ts';
import {
  absent,
  accepted,
  ambiguous,
  DAY,
  DEFAULT_POLICY,
  found,
  HOUR,
  MINUTE,
  openVirtualWorld,
  RUN_ID,
  SECOND,
  urlOf,
  type VirtualBuild,
  type VirtualWorld,
} from './virtual-world.ts';

if (!hasTestServer) {
  console.warn(`SKIPPED: Temporal's time-skipping test server does not run on ${process.platform}-${process.arch}`);
}

const unreachable = { kind: 'not_sent', reason: 'ECONNREFUSED', wait_ms: null } satisfies DispatchOutcome;
const acceptedSomewhere: DispatchOutcome = { ...ambiguous, accepted: true };
const ended = (conclusion: string) => ({ status: 'completed', conclusion });

/** Time is virtual: a task takes some of it as well, so what happens on time happens within seconds of it. */
const ON_TIME = 10 * SECOND;

describe.skipIf(!hasTestServer)('a build in virtual time, under the default settings', () => {
  let world: VirtualWorld;
  beforeAll(async () => {
    world = await openVirtualWorld();
  });
  afterAll(() => world.close());

  /** Waits until the workflow is in a phase, letting virtual time pass. */
  const inPhase = (build: VirtualBuild, phase: string) =>
    eventually(async () => {
      const state = await build.handle.query(stateQuery);
      if (state.phase === phase) return;
      await world.pass(10 * SECOND);
      throw new Error(`${phase} is not reached: ${JSON.stringify(state)}`);
    });

  describe('dispatch', () => {
    it('a success takes one POST, and the build ends with GitHub’s word', async () => {
      const build = await world.start();
      expect((await build.closed()).result).toEqual({
        build_id: build.input.build_id,
        status: 'success',
        conclusion: 'success',
        run_url: urlOf(RUN_ID),
      });
      expect(build.asked('dispatch')).toHaveLength(1);
      expect(build.asked('find')).toHaveLength(0);
      expect(build.record.types()).toEqual([
        'build_queued',
        'build_started',
        'dispatch_intended',
        'workflow_triggered',
        'run_updated',
        'run_updated',
        'build_completed',
      ]);
    });

    it('the intent is in the record before its POST is sent, with the token that is sent', async () => {
      const build = await world.start({ dispatch: [ambiguous, accepted] });
      await build.closed();
      const intents = build.record.told('dispatch_intended');
      const posts = build.asked('dispatch');
      expect(posts.map(({ token }) => token)).toEqual(intents.map(({ token }) => token));
      expect(new Set(intents.map(({ token }) => token)).size).toBe(2);
      for (const [index, post] of posts.entries()) expect(post.at).toBeGreaterThanOrEqual(intents[index]!.at);
    });

    it('a second POST needs at least 3 complete readings over the whole window of 2 minutes', async () => {
      const build = await world.start({ dispatch: [ambiguous, accepted] });
      expect((await build.closed()).result.status).toBe('success');
      const doubtSince = build.record.told('dispatch_ambiguous')[0]!.at;
      const second = build.asked('dispatch')[1]!;
      // Later readings look for the run of the first dispatch, should it show up after all.
      const readings = build.asked('find').filter((reading) => reading.at < second.at);
      expect(readings.length).toBeGreaterThanOrEqual(3);
      expect(readings.at(-1)!.at - doubtSince).toBeGreaterThanOrEqual(2 * MINUTE);
      expect(build.record.told('dispatch_absent')).toMatchObject([{ attempt: 1, complete_reads: readings.length }]);
    });

    it('4 dispatches at most, 60 s apart and doubling, each with up to a quarter of jitter', async () => {
      const build = await world.start({ dispatch: [ambiguous] });
      expect((await build.closed()).result).toMatchObject({ status: 'failure', conclusion: 'dispatch_failed' });
      expect(build.asked('dispatch')).toHaveLength(4);
      const gaps = build.record
        .told('dispatch_absent')
        .slice(0, 3)
        .map(({ at }, index) => build.record.told('dispatch_intended')[index + 1]!.at - at);
      for (const [index, gap] of gaps.entries()) {
        const least = MINUTE * 2 ** index;
        expect(gap).toBeGreaterThanOrEqual(least);
        expect(gap).toBeLessThan(least * 1.25 + ON_TIME);
      }
      expect(build.record.types().slice(-2)).toEqual(['build_completed', 'build_dead_lettered']);
    });

    it('a rate limit is waited out as told and counts for nothing', async () => {
      const limited: DispatchOutcome = { kind: 'not_sent', reason: 'rate limit', wait_ms: 17 * MINUTE };
      const build = await world.start({ dispatch: [...Array(6).fill(limited), accepted] });
      expect((await build.closed()).result.status).toBe('success');
      const posts = build.asked('dispatch').map(({ at }) => at);
      expect(posts).toHaveLength(7);
      for (let index = 1; index < posts.length; index++) {
        expect(posts[index]! - posts[index - 1]!).toBeGreaterThanOrEqual(17 * MINUTE);
        expect(posts[index]! - posts[index - 1]!).toBeLessThan(17 * MINUTE + ON_TIME);
      }
    });

    it('while GitHub cannot be reached it tries a thousand times at most, however far the deadline is', async () => {
      const build = await world.start({ dispatch: [unreachable], policy: { deadline_ms: 35 * DAY } });
      expect((await build.closed()).result).toMatchObject({ status: 'failure', conclusion: 'timed_out' });
      expect(build.asked('dispatch').length).toBeLessThan(1_020);
      expect((await build.handle.describe()).historyLength).toBeLessThan(25_000);
    });

    it('while GitHub cannot be reached it tries about once a minute, until the deadline ends the build', async () => {
      const build = await world.start({ dispatch: [unreachable] });
      const { result, at } = await build.closed();
      expect(result).toMatchObject({ status: 'failure', conclusion: 'timed_out', run_url: null });
      expect(at - build.began).toBeGreaterThan(3 * HOUR - 90 * SECOND);
      expect(at - build.began).toBeLessThan(3 * HOUR + ON_TIME);
      const gaps = build.asked('dispatch').map(({ at }, index, all) => at - (all[index - 1]?.at ?? at));
      expect(Math.max(...gaps)).toBeLessThan(75 * SECOND + ON_TIME);
      expect(gaps.length).toBeGreaterThan(140);
      expect(build.record.types().at(-1)).toBe('build_dead_lettered');
    });

    it('a re-run, too, is tried for as long as GitHub cannot be reached, and goes on when it can', async () => {
      const build = await world.start({
        before: (input) => [...withRun(input), endedAs('failure', input)],
        resume: rerunAt(await world.now()),
        rerun: [...Array.from({ length: 30 }, () => unreachable), { kind: 'done', request_id: null }],
      });
      expect((await build.closed()).result).toMatchObject({ status: 'success', conclusion: 'success' });
      expect(build.asked('rerun')).toHaveLength(31);
      expect(build.record.told('dispatch_delayed')).toHaveLength(30);
    });

    it('a run that somebody runs again in GitHub meanwhile is followed, and not run again', async () => {
      const build = await world.start({
        before: (input) => [...withRun(input), endedAs('failure', input)],
        resume: rerunAt(await world.now()),
        runAgain: () => 1,
      });
      expect((await build.closed()).result).toMatchObject({ status: 'success', conclusion: 'success' });
      expect(build.asked('rerun')).toHaveLength(0);
      expect(build.record.types()).not.toContain('rerun_intended');
    });

    it('a re-run follows the attempts that there were when it was asked for', async () => {
      const build = await world.start({
        before: (input) => [...withRun(input), endedAs('failure', input)],
        resume: rerunAt(await world.now()),
        runAgain: () => 2,
        run: (_elapsed, _sinceCancel, run_attempt) =>
          run_attempt === 3
            ? { status: 'completed', conclusion: 'failure' }
            : { status: 'completed', conclusion: 'success' },
      });
      expect((await build.closed()).result).toMatchObject({ status: 'success' });
      expect(build.record.told('rerun_intended')).toMatchObject([{ after_run_attempt: 3 }]);
      expect(build.record.told('build_completed').at(-1)).toMatchObject({ run_attempt: 4 });
    });

    it('a re-run in doubt of a run that was deleted meanwhile comes to an end', async () => {
      const build = await world.start({
        before: (input) => [...withRun(input), endedAs('failure', input)],
        resume: rerunAt(await world.now()),
        rerun: [
          { kind: 'ambiguous', reason: 'HTTP 502', request_id: null },
          { kind: 'rejected', status: 404, message: 'Not Found', request_id: null },
        ],
        deleted: true,
      });
      expect((await build.closed()).result).toMatchObject({ status: 'failure', conclusion: 'dispatch_rejected' });
      expect(build.asked('rerun')).toHaveLength(2);
    });

    it('a re-run in doubt whose run cannot be read comes to an end after the deadline', async () => {
      const build = await world.start({
        before: (input) => [...withRun(input), endedAs('failure', input)],
        resume: rerunAt(await world.now()),
        rerun: [{ kind: 'ambiguous', reason: 'HTTP 502', request_id: null }],
        unreadable: true,
      });
      const { result, at } = await build.closed();
      expect(result).toMatchObject({ status: 'failure', conclusion: 'dispatch_failed' });
      expect(build.record.told('build_completed').at(-1)!.detail).toContain('may be running');
      expect(at - build.began).toBeGreaterThanOrEqual(DEFAULT_POLICY.deadline_ms);
      expect(build.asked('rerun')).toHaveLength(1);
    });

    it('a refusal ends the build at once, and its workflow with it, so that the same request may start anew', async () => {
      const build = await world.start({
        dispatch: [{ kind: 'rejected', status: 422, message: 'No ref found for: main', request_id: null }],
      });
      const { result, at } = await build.closed();
      expect(result).toMatchObject({ status: 'failure', conclusion: 'dispatch_rejected' });
      expect(at - build.began).toBeLessThan(ON_TIME);
      expect(build.asked('dispatch')).toHaveLength(1);
    });

    it('readings go back to the first POST, however long the build had waited before it', async () => {
      const build = await world.start({ writeSlotInMs: HOUR, dispatch: [ambiguous], find: [absent, found(RUN_ID)] });
      await build.closed();
      const intended = new Date(build.record.told('dispatch_intended')[0]!.at).toISOString();
      expect(build.asked('find').map(({ since }) => since)).toEqual([intended, intended]);
    });

    it('a POST whose worker is lost is not sent again: its run is looked for', async () => {
      const build = await world.start({ dispatch: ['worker lost'], find: [absent, found(RUN_ID)] });
      expect((await build.closed()).result).toMatchObject({ status: 'success', run_url: urlOf(RUN_ID) });
      expect(build.asked('dispatch')).toMatchObject([{ attempt: 1 }]);
      expect(build.record.told('dispatch_ambiguous')).toMatchObject([{ reason: 'the worker was lost while it sent' }]);
      expect(build.record.told('workflow_triggered')).toMatchObject([{ learned_from: 'reconcile', correlated: true }]);
    });

    it('an intent of an earlier run of the workflow is looked for and not sent', async () => {
      const build = await world.start({
        before: ({ created_at: occurred_at }) => [
          { type: 'build_started', data: {}, occurred_at, dedupe_key: 'started' },
          {
            type: 'dispatch_intended',
            data: { attempt: 1, token: 'hapax-1-1-0123456789ab', temporal_run_id: 'the run before a reset' },
            occurred_at,
            dedupe_key: 'dispatch:1:intended',
          },
        ],
        find: [absent, found(RUN_ID)],
      });
      expect((await build.closed()).result.status).toBe('success');
      expect(build.asked('dispatch')).toHaveLength(0);
      const { created_at: since } = build.input;
      expect(build.asked('find')[0]).toMatchObject({ tokens: ['hapax-1-1-0123456789ab'], since });
    });

    describe('that cannot read the runs', () => {
      const unreadable = { dispatch: [ambiguous], find: [new ForgeError('GitHub answered 404: Not Found', 404)] };

      it('ends a build that is cancelled, ten minutes later', async () => {
        const build = await world.start(unreadable);
        await eventually(async () => expect((await build.handle.query(stateQuery)).phase).toBe('reconciling'));
        await build.handle.signal(cancelSignal, { by: 'somebody' });
        await world.pass(4 * HOUR);
        expect((await build.handle.describe()).status.name).toBe('COMPLETED');
        expect(build.record.build()).toMatchObject({ status: 'cancelled' });
        expect(build.asked('dispatch')).toHaveLength(1);
      });

      it('asks the operator after the deadline', async () => {
        const build = await world.start(unreadable);
        await world.pass(4 * HOUR);
        await inPhase(build, 'needs_attention');
        const [question] = build.record.told('build_needs_attention');
        expect(question!.reason).toContain('could not be read');
        const [doubt] = build.record.told('dispatch_ambiguous');
        expect(question!.at - doubt!.at).toBeGreaterThanOrEqual(DEFAULT_POLICY.deadline_ms);
        await build.handle.signal(cancelSignal, { by: 'somebody' });
        expect((await build.closed()).result).toMatchObject({ status: 'cancelled' });
      });
    });

    it('of several runs the oldest is the build’s, the others are cancelled and recorded', async () => {
      const build = await world.start({ dispatch: [ambiguous], find: [found(7, 8, 9)] });
      expect((await build.closed()).result).toMatchObject({ status: 'success', run_url: urlOf(7) });
      expect(build.asked('cancel').map((call) => call.run_id)).toEqual([8, 9]);
      expect(build.record.told('duplicate_run_cancelled').map((event) => event.workflow_run_id)).toEqual([8, 9]);
      expect(build.record.build().workflow_run_id).toBe(7);
    });

    it('others that GitHub does not cancel yet, because they are not queued, are cancelled again', async () => {
      const run = (elapsed: number) => (elapsed < HOUR ? { status: 'queued' } : ended('success'));
      const build = await world.start({
        dispatch: [ambiguous],
        find: [found(7, 8)],
        cancel: [false, false, true],
        run,
      });
      expect((await build.closed()).result).toMatchObject({ status: 'success', run_url: urlOf(7) });
      expect(build.asked('cancel').map((call) => call.run_id)).toEqual([8, 8, 8]);
      expect(build.record.told('duplicate_run_cancelled')).toMatchObject([{ workflow_run_id: 8 }]);
    });

    it('others that had ended are not recorded as cancelled', async () => {
      const build = await world.start({
        dispatch: [ambiguous],
        find: [found(7, 8)],
        cancel: [false],
        run: () => ended('success'),
      });
      expect((await build.closed()).result).toMatchObject({ status: 'success', run_url: urlOf(7) });
      expect(build.record.types()).not.toContain('duplicate_run_cancelled');
      expect(build.record.types()).not.toContain('run_left_running');
    });

    it('others that GitHub does not cancel are recorded as left running, and the build goes on', async () => {
      const refused = new ForgeError('GitHub answered 403: Resource not accessible', 403, MINUTE);
      const run = (elapsed: number) => (elapsed < HOUR ? { status: 'in_progress' } : ended('success'));
      const build = await world.start({ dispatch: [ambiguous], find: [found(7, 8)], cancel: [refused], run });
      expect((await build.closed()).result).toMatchObject({ status: 'success', run_url: urlOf(7) });
      expect(build.record.told('duplicate_run_cancelled')).toEqual([]);
      expect(build.record.told('run_left_running')).toMatchObject([{ workflow_run_id: 8, reason: 'duplicate' }]);
    });
  });

  describe('an operator', () => {
    it('may take days, in which little happens; the run adopted then is followed for as long as any other', async () => {
      const run = (elapsed: number) => (elapsed < HOUR ? { status: 'in_progress' } : ended('success'));
      const build = await world.start({ dispatch: [acceptedSomewhere], run });
      await inPhase(build, 'needs_attention');
      const { historyLength } = await build.handle.describe();
      const calls = build.calls.length;
      await world.pass(5 * DAY);
      // The question is told again at ever longer pauses, up to a day.
      expect((await build.handle.describe()).historyLength - historyLength).toBeLessThan(100);
      expect(build.calls).toHaveLength(calls);
      expect(build.record.build()).toMatchObject({ status: 'in_progress', needs_attention: true });

      await build.handle.signal(adoptSignal, { run_id: 42, run_url: urlOf(42) });
      expect((await build.closed()).result).toMatchObject({ status: 'success', run_url: urlOf(42) });
      expect(build.asked('cancel')).toHaveLength(0);
      expect(build.asked('dispatch')).toHaveLength(1);
      expect(build.record.told('workflow_triggered')).toMatchObject([{ learned_from: 'operator', correlated: false }]);
    });

    it('who says retry after days gets a run, and not one that is cancelled at once', async () => {
      const build = await world.start({ dispatch: [acceptedSomewhere, unreachable, accepted] });
      await inPhase(build, 'needs_attention');
      await world.pass(2 * DAY);
      await build.handle.signal(retrySignal);
      expect((await build.closed()).result).toMatchObject({ status: 'success' });
      expect(build.asked('dispatch')).toHaveLength(3);
      expect(build.asked('cancel')).toHaveLength(0);
    });

    it('is not heard before the build asks', async () => {
      const build = await world.start({ dispatch: [acceptedSomewhere] });
      await inPhase(build, 'reconciling');
      await build.handle.signal(adoptSignal, { run_id: 13 });
      await build.handle.signal(retrySignal);
      await inPhase(build, 'needs_attention');
      await world.pass(DAY);
      expect(await build.handle.query(stateQuery)).toMatchObject({ phase: 'needs_attention', attempt: 1 });
      await build.handle.signal(adoptSignal, { run_id: 42 });
      await build.closed();
      expect(build.record.build().workflow_run_id).toBe(42);
    });

    it('is heard as soon as the record shows the question, though its telling has not returned', async () => {
      let answer: (() => Promise<void>) | undefined;
      const build = await world.start({
        dispatch: [acceptedSomewhere],
        async tell({ type, local, after }) {
          if (type !== 'build_needs_attention') return;
          if (local) throw new Error('the database is down');
          if (after) await answer?.();
        },
      });
      answer = () => build.handle.signal(adoptSignal, { run_id: 42 });
      await inPhase(build, 'following');
      expect((await build.closed()).result.status).toBe('success');
    });
  });

  it('the defaults are those that these tests speak of', () => {
    expect(DEFAULT_POLICY).toEqual({
      correlation_input: 'hapax_id',
      reconcile_window_ms: 2 * MINUTE,
      deadline_ms: 3 * HOUR,
      max_retries: 3,
      retry_delay_ms: MINUTE,
      poll_interval_ms: 30 * SECOND,
      request_timeout_ms: 15 * SECOND,
    });
  });
});
