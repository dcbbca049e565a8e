import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUILD_EVENT_TYPES, type BuildEvent, type BuildEventType } from '../../src/contracts/builds/event.ts';
import { type Build, evolve, replays, statusOf } from '../../src/domain/builds/build.ts';
import { IllegalEvent } from '../../src/domain/record/illegal-event.ts';

const AT = '2026-11-21T10:00:00.000Z';

const SAMPLES: { [Type in BuildEventType]: Extract<BuildEvent, { type: Type }>['data'] } = {
  build_queued: {
    build_id: 1,
    workflow_id: 'build-x',
    request_key: 'x',
    fingerprint: 'x',
    keyed: false,
    dedup_until: '2026-11-21T10:05:00.000Z',
    caller: 'local',
    config_id: 1,
    config_version: 1,
    image_type: null,
    fedora_version: '43',
    priority: 3,
    request: { repository: 'o/r', workflow: 'build.yml', ref: 'main', inputs: {} },
  },
  build_started: {},
  dispatch_intended: { attempt: 1, token: 'hapax-1-1-000000000000', temporal_run_id: 't' },
  dispatch_rejected: { attempt: 1, status: 422, message: 'no', request_id: null },
  dispatch_delayed: { attempt: 1, reason: 'rate limited', retry_at: AT },
  dispatch_ambiguous: { attempt: 1, reason: '502', request_id: null },
  dispatch_absent: { attempt: 1, complete_reads: 3 },
  build_needs_attention: { attempt: 1, reason: 'doubt' },
  workflow_triggered: {
    attempt: 1,
    workflow_run_id: 2 ** 33,
    run_url: 'u',
    learned_from: 'dispatch',
    correlated: true,
    request_id: null,
  },
  run_updated: { run_status: 'in_progress', run_attempt: 1, learned_from: 'poll', request_id: null },
  late_run_cancelled: { workflow_run_id: 5, run_url: 'u' },
  dispatch_withheld: { until: AT },
  run_doubled: { workflow_run_id: 5, run_url: 'u' },
  run_left_running: { workflow_run_id: 5, run_url: 'u', reason: 'late' },
  duplicate_run_cancelled: { workflow_run_id: 5, run_url: 'u' },
  build_completed: { conclusion: 'success', run_attempt: 1, learned_from: 'poll', request_id: null },
  cancel_requested: { by: 'local' },
  build_cancelled: { conclusion: 'cancelled', run_attempt: 1, learned_from: 'poll', request_id: null },
  build_dead_lettered: { reason: 'r', attempts: 4 },
  dead_letter_discarded: { by: 'local' },
  build_retried: { retry: 1, mode: 'redispatch', by: 'local', retry_id: 'r' },
  build_reopened: {
    workflow_run_id: 2 ** 33,
    run_attempt: 2,
    run_status: 'queued',
    learned_from: 'webhook',
    request_id: null,
    delivery_id: 'd',
  },
  rerun_intended: { workflow_run_id: 5, after_run_attempt: 1, failed_jobs_only: false, temporal_run_id: 't' },
  rerun_ambiguous: { workflow_run_id: 5, reason: '502', request_id: null },
  artifacts_recorded: { workflow_run_id: 5, run_attempt: 1, artifacts: [], left_out: 0, unavailable: null },
  build_recovered: { reason: 'workflow_lost', by: 'reconciliation', detail: 'started again' },
  callback_delivered: { webhook_id: 'msg_1', attempt: 1, status: 200 },
  callback_failed: { webhook_id: 'msg_1', attempt: 1, status: null, reason: 'reset', next_at: null },
  build_erased: { by: 'me' },
};

function event(type: BuildEventType, data: Partial<BuildEvent['data']> = {}): BuildEvent {
  return { type, data: { ...SAMPLES[type], ...data }, occurred_at: AT, dedupe_key: type } as BuildEvent;
}

const built = (...events: BuildEvent[]) => events.reduce<Build | undefined>(evolve, undefined) as Build;

describe('the state of a build', () => {
  it('goes queued, in_progress, success', () => {
    const queued = built(event('build_queued'));
    expect(queued).toMatchObject({ id: 1, status: 'queued', created_at: AT, started_at: null });
    const started = evolve(queued, event('build_started'));
    expect(started).toMatchObject({ status: 'in_progress', started_at: AT });
    const triggered = evolve(started, event('workflow_triggered'));
    expect(triggered).toMatchObject({ status: 'in_progress', workflow_run_id: 2 ** 33, run_attempt: 1 });
    expect(evolve(triggered, event('build_completed'))).toMatchObject({
      status: 'success',
      conclusion: 'success',
      completed_at: AT,
    });
  });

  it('keeps every conclusion of GitHub, also words nobody has heard of', () => {
    const failures = [
      'failure',
      'neutral',
      'skipped',
      'timed_out',
      'action_required',
      'stale',
      'startup_failure',
      'a_new_word',
    ];
    for (const conclusion of [...failures, 'success', 'cancelled']) {
      const build = built(event('build_queued'), event('build_started'), event('build_completed', { conclusion }));
      expect(build.conclusion).toBe(conclusion);
      expect(build.status).toBe(failures.includes(conclusion) ? 'failure' : conclusion);
    }
    expect(statusOf('constructor')).toBe('failure');
  });

  it('never leaves an end, and begins with being queued, whatever is told', () => {
    const types = fc.array(fc.constantFrom(...BUILD_EVENT_TYPES), { maxLength: 30 });
    fc.assert(
      fc.property(types, (told) => {
        let build: Build | undefined;
        for (const type of told) {
          const before: Build | undefined = build;
          try {
            build = evolve(build, event(type));
          } catch (error) {
            expect(error).toBeInstanceOf(IllegalEvent);
            continue;
          }
          if (!before) expect(type).toBe('build_queued');
          if (!before?.completed_at) continue;
          // Only a retry leaves an end, and only that of a failure; and GitHub, which runs again what it likes.
          if (type === 'build_retried') expect([before.status, build.status]).toEqual(['failure', 'queued']);
          else if (type === 'build_reopened') expect(build.status).toBe('in_progress');
          else expect(build.status).toBe(before.status);
        }
      }),
    );
  });

  it('is waiting for an operator only until one spoke or a run was found', () => {
    const doubtful = built(event('build_queued'), event('build_started'), event('build_needs_attention'));
    expect(doubtful.needs_attention).toBe(true);
    for (const type of ['dispatch_intended', 'workflow_triggered', 'build_completed'] as const) {
      expect(evolve(doubtful, event(type))).toMatchObject({ needs_attention: false, reason: null });
    }
  });
});

describe('a retry', () => {
  const failed = built(
    event('build_queued'),
    event('build_started'),
    event('workflow_triggered'),
    event('build_completed', { conclusion: 'failure' }),
    event('build_dead_lettered'),
  );

  it('queues a failed build again and forgets its end, its run only where another is sent', () => {
    const redispatched = evolve(failed, event('build_retried'));
    expect(redispatched).toMatchObject({
      status: 'queued',
      retries: 1,
      conclusion: null,
      completed_at: null,
      dead_lettered: false,
      workflow_run_id: null,
    });
    expect(evolve(failed, event('build_retried', { mode: 'rerun' }))).toMatchObject({
      status: 'queued',
      workflow_run_id: 2 ** 33,
    });
  });

  it.each(['success', 'cancelled'])('does not touch a build that ended as %s', (conclusion) => {
    const ended = built(event('build_queued'), event('build_started'), event('build_completed', { conclusion }));
    expect(() => evolve(ended, event('build_retried'))).toThrow(IllegalEvent);
  });
});

describe('a run that is run again in GitHub', () => {
  const ended = (conclusion: string) =>
    built(
      event('build_queued', { concurrency: 'queue' }),
      event('build_started'),
      event('workflow_triggered'),
      event('build_completed', { conclusion }),
    );

  it.each(['success', 'failure', 'cancelled'])(
    'goes on with a build that ended as %s, whoever has its lane',
    (conclusion) => {
      const reopened = evolve(ended(conclusion), event('build_reopened'));
      expect(reopened).toMatchObject({ status: 'in_progress', run_attempt: 2, conclusion: null, completed_at: null });
      expect(reopened.lane).toBeNull();
      const again = evolve(reopened, event('build_completed', { conclusion: 'failure', run_attempt: 2 }));
      expect(again).toMatchObject({ status: 'failure', run_attempt: 2 });
      expect(evolve(again, event('build_retried')).lane).toBe('o/r build.yml main');
    },
  );

  it('is nothing new where it is no later attempt of the run of the build, the build has not ended, or it was erased', () => {
    const build = ended('success');
    for (const data of [{ run_attempt: 1 }, { workflow_run_id: 7 }]) {
      expect(() => evolve(build, event('build_reopened', data))).toThrow(IllegalEvent);
    }
    const running = built(event('build_queued'), event('build_started'), event('workflow_triggered'));
    expect(() => evolve(running, event('build_reopened'))).toThrow(IllegalEvent);
    expect(() => evolve(evolve(build, event('build_erased')), event('build_reopened'))).toThrow('was erased');
  });
});

describe('whether an equal request gets the same build', () => {
  const build = { keyed: false, dedup_until: '2026-11-21T10:05:00.000Z' };
  const within = '2026-11-21T10:04:59.999Z';
  const later = '2026-11-21T10:05:00.000Z';
  it.each([
    ['queued', later, true],
    ['in_progress', later, true],
    ['success', within, true],
    ['success', later, false],
    ['failure', within, false],
    ['cancelled', within, false],
  ] as const)('%s at %s: %s', (status, now, expected) => {
    expect(replays({ ...build, status }, now)).toBe(expected);
    expect(replays({ ...build, status, keyed: true }, now)).toBe(true);
  });
});
