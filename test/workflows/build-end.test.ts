import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ForgeError } from '../../src/integrations/forges/forge-error.ts';
import { cancelSignal, stateQuery } from '../../src/workflows/messages.ts';
import { eventually } from '../world/eventually.ts';
import { hasTestServer } from '../world/test-server.ts';
import { endedAs, withRun } from './earlier-events.ts';
import {
  absent,
  accepted,
  ambiguous,
  DEFAULT_POLICY,
  found,
  HOUR,
  MINUTE,
  openVirtualWorld,
  RUN_ID,
  SECOND,
  urlOf,
  type VirtualWorld,
} from './virtual-world.ts';

const ended = (conclusion: string) => ({ status: 'completed', conclusion });
const endless = () => ({ status: 'in_progress' });

/** Time is virtual: a task takes some of it as well, so what happens on time happens within seconds of it. */
const ON_TIME = 10 * SECOND;

describe.skipIf(!hasTestServer)('the end of a build in virtual time, under the default settings', () => {
  let world: VirtualWorld;
  beforeAll(async () => {
    world = await openVirtualWorld();
  });
  afterAll(() => world.close());

  describe('the end', () => {
    it('after a success the workflow stays open until the dedup window of 5 minutes from the trigger ends', async () => {
      const quick = await world.start({ run: () => ended('success') });
      const { at } = await quick.closed();
      expect(at).toBeGreaterThanOrEqual(Date.parse(quick.input.dedup_until));
      expect(at - quick.began).toBeLessThan(5 * MINUTE + ON_TIME);

      const slow = await world.start();
      const closed = await slow.closed();
      expect(closed.at - slow.record.told('build_completed')[0]!.at).toBeLessThan(ON_TIME);
    });

    it.each(['failure', 'cancelled', 'a word that GitHub has yet to invent'])(
      'after %s it closes at once',
      async (word) => {
        const build = await world.start({ run: () => ended(word) });
        const { result, at } = await build.closed();
        expect(result).toMatchObject({ status: word === 'cancelled' ? 'cancelled' : 'failure', conclusion: word });
        expect(at - build.began).toBeLessThan(ON_TIME);
      },
    );

    it('an end that an earlier try of the last task told, which knew less, is the end', async () => {
      const build = await world.start({
        before: (input) => [...withRun(input), endedAs('timed_out', input)],
        find: [found(RUN_ID)],
        run: () => ended('success'),
      });
      expect((await build.closed()).result).toMatchObject({ status: 'failure', conclusion: 'timed_out' });
      expect(build.record.build()).toMatchObject({ status: 'failure', conclusion: 'timed_out' });
    });

    it('a run that never ends is told to stop after 3 hours, and the build says timed_out', async () => {
      const build = await world.start({
        run: (_elapsed, sinceCancel) => (sinceCancel === null ? endless() : ended('cancelled')),
      });
      expect((await build.closed()).result).toMatchObject({ status: 'failure', conclusion: 'timed_out' });
      const [cancel, ...more] = build.asked('cancel');
      expect(more).toEqual([]);
      expect(cancel!.run_id).toBe(RUN_ID);
      const started = build.record.told('build_started')[0]!.at;
      expect(cancel!.at - started).toBeGreaterThanOrEqual(3 * HOUR);
      expect(cancel!.at - started).toBeLessThan(3 * HOUR + ON_TIME);
      expect(build.record.told('build_completed')).toMatchObject([{ learned_from: 'deadline', run_attempt: 1 }]);
    });

    it('a run that ends by itself while it is told to stop keeps its own word', async () => {
      const build = await world.start({
        run: (_elapsed, sinceCancel) => (sinceCancel === null ? endless() : ended('success')),
      });
      expect((await build.closed()).result).toMatchObject({ status: 'success', conclusion: 'success' });
      expect(build.asked('cancel')).toHaveLength(1);
    });

    it('a run that cannot be cancelled is looked at at once: it has ended', async () => {
      const build = await world.start({
        cancel: [false],
        policy: { poll_interval_ms: HOUR },
        // The polls are due at every hour after the run began.
        run: (elapsed) =>
          elapsed < 2.5 * HOUR ? { status: 'in_progress' } : { status: 'completed', conclusion: 'success' },
      });
      const { at } = await build.closed();
      expect(build.record.told('build_completed')).toMatchObject([{ conclusion: 'success' }]);
      const [cancelled] = build.asked('cancel');
      expect(build.record.told('build_completed')[0]!.at - cancelled!.at).toBeLessThan(ON_TIME);
      expect(at - build.began).toBeLessThan(4 * HOUR);
    });

    it('a run that cannot be cancelled yet is cancelled again', async () => {
      const build = await world.start({
        cancel: [false, false, true],
        run: (_elapsed, sinceCancel) =>
          sinceCancel !== null && sinceCancel >= 20 * SECOND
            ? { status: 'completed', conclusion: 'cancelled' }
            : { status: 'queued' },
      });
      expect((await build.closed()).result).toMatchObject({ conclusion: 'timed_out' });
      expect(build.asked('cancel').length).toBeGreaterThanOrEqual(2);
    });

    it('a run whose cancellation has to wait for longer than the grace is stopped before the build ends', async () => {
      const build = await world.start({
        cancel: [new ForgeError('GitHub’s rate limit', undefined, 40 * MINUTE), true],
        run: (_elapsed, sinceCancel) =>
          sinceCancel === null ? { status: 'in_progress' } : { status: 'completed', conclusion: 'cancelled' },
      });
      await eventually(async () => expect((await build.handle.query(stateQuery)).phase).toBe('following'));
      await build.handle.signal(cancelSignal, { by: 'somebody' });
      expect((await build.closed()).result).toMatchObject({ status: 'cancelled', conclusion: 'cancelled' });
      expect(build.asked('cancel').map(({ done }) => done ?? false)).toEqual([false, true]);
      const [requested] = build.record.told('cancel_requested');
      const [end] = build.record.told('build_cancelled');
      expect(end).toMatchObject({ learned_from: 'poll' });
      expect(end!.at - requested!.at).toBeGreaterThanOrEqual(40 * MINUTE);
    });

    it('a run that GitHub takes no cancellation of may still be running, and the end of the build says so', async () => {
      const build = await world.start({
        cancel: [new ForgeError('GitHub’s rate limit', undefined, 40 * MINUTE)],
        run: () => ({ status: 'in_progress' }),
      });
      await build.closed();
      const detail = `GitHub has not taken the cancellation, so it may still be running: ${urlOf(RUN_ID)}`;
      const [end] = build.record.told('build_completed');
      expect(end).toMatchObject({ conclusion: 'timed_out', detail });
      expect(end!.at - build.asked('cancel')[0]!.at).toBeGreaterThanOrEqual(DEFAULT_POLICY.deadline_ms);
    });

    it('a run that ends by itself ends the build, although its cancellation has not been sent', async () => {
      const build = await world.start({
        cancel: [new ForgeError('GitHub’s rate limit', undefined, 40 * MINUTE)],
        run: (elapsed) =>
          elapsed < 185 * MINUTE ? { status: 'in_progress' } : { status: 'completed', conclusion: 'success' },
      });
      expect((await build.closed()).result).toMatchObject({ conclusion: 'success' });
      const [end] = build.record.told('build_completed');
      expect(end!.at - build.asked('cancel')[0]!.at).toBeLessThan(10 * MINUTE);
    });

    it('why a run failed is in its end, and is not waited for where GitHub does not say', async () => {
      const failedJobs = [{ name: 'build', conclusion: 'failure', url: null, steps: [], annotations: [] }];
      const run = () => ({ status: 'completed', conclusion: 'failure' });
      const told = await world.start({ run, failedJobs });
      await told.closed();
      expect(told.record.told('build_completed')).toMatchObject([{ conclusion: 'failure', failed_jobs: failedJobs }]);
      const untold = await world.start({ run, failedJobs: 'away' });
      const { at } = await untold.closed();
      expect(untold.record.told('build_completed')[0]).not.toHaveProperty('failed_jobs');
      expect(at - untold.began).toBeLessThan(90 * SECOND);
    });

    it('runs that show up after the end of a build that has none are cancelled and recorded', async () => {
      const build = await world.start({
        dispatch: [ambiguous],
        policy: { max_retries: 0 },
        // Three readings of the window find nothing.
        find: [absent, absent, absent, absent, found(77)],
      });
      expect((await build.closed()).result).toMatchObject({ conclusion: 'dispatch_failed' });
      expect(build.record.types().slice(-3)).toEqual(['build_completed', 'build_dead_lettered', 'late_run_cancelled']);
      expect(build.asked('cancel')).toMatchObject([{ run_id: 77 }]);
    });

    it('those that GitHub does not cancel for minutes are recorded as left running', async () => {
      const build = await world.start({
        dispatch: [ambiguous],
        policy: { max_retries: 0 },
        find: [absent, absent, absent, absent, found(77)],
        cancel: [new ForgeError('GitHub’s rate limit', undefined, 40 * MINUTE)],
        run: endless,
      });
      expect((await build.closed()).result).toMatchObject({ conclusion: 'dispatch_failed' });
      expect(build.record.told('run_left_running')).toMatchObject([{ workflow_run_id: 77, reason: 'late' }]);
    });

    it('a run that does not stop is waited for 10 minutes more', async () => {
      const build = await world.start({ run: endless });
      const { result, at } = await build.closed();
      expect(result).toMatchObject({ status: 'failure', conclusion: 'timed_out' });
      const told = build.asked('cancel')[0]!.at;
      expect(at - told).toBeGreaterThanOrEqual(10 * MINUTE);
      expect(at - told).toBeLessThan(10 * MINUTE + ON_TIME);
    });
  });

  describe('a record', () => {
    it('that is down for minutes at every step delays the build, loses nothing and is told nothing twice', async () => {
      const tellings = new Map<string, number>();
      const build = await world.start({
        dispatch: [ambiguous, accepted],
        run: (elapsed) => (elapsed < 2 * HOUR ? endless() : ended('success')),
        tell({ type, local, nth }) {
          tellings.set(type, nth);
          if (local || nth <= 40) throw new Error('the database is down');
        },
      });
      expect((await build.closed()).result.status).toBe('success');
      expect(build.record.types()).toEqual([
        'build_queued',
        'build_started',
        'dispatch_intended',
        'dispatch_ambiguous',
        'dispatch_absent',
        'dispatch_intended',
        'workflow_triggered',
        'run_updated',
        'build_completed',
      ]);
      expect(build.asked('dispatch')).toHaveLength(2);
      expect(tellings.get('workflow_triggered')).toBe(41);
    });

    it('that takes every event and loses every first answer holds each once, and one POST per intent is sent', async () => {
      const build = await world.start({
        dispatch: [ambiguous, accepted],
        tell({ local, after }) {
          if (local && after) throw new Error('the connection was lost');
        },
      });
      expect((await build.closed()).result.status).toBe('success');
      expect(build.record.types()).toEqual([
        'build_queued',
        'build_started',
        'dispatch_intended',
        'dispatch_ambiguous',
        'dispatch_absent',
        'dispatch_intended',
        'workflow_triggered',
        'run_updated',
        'run_updated',
        'build_completed',
      ]);
      const tokens = build.record.told('dispatch_intended').map(({ token }) => token);
      expect(build.asked('dispatch').map(({ token }) => token)).toEqual(tokens);
    });
  });
});
