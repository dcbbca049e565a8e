import { describe, expect, it } from 'vitest';
import { composeBuildCallback } from '../../src/activities/callback-subjects.ts';
import { buildCallback } from '../../src/contracts/builds/build.ts';
import type { BuildEvent, RecordedEvent } from '../../src/contracts/builds/event.ts';

const at = (second: number) => new Date(Date.UTC(2026, 10, 21, 10, 0, second)).toISOString();
const ending = { run_attempt: null, learned_from: 'dispatch', request_id: null };

/** A build that died, was retried and cancelled, with what its callbacks left in between. */
const TOLD = [
  {
    type: 'build_queued',
    data: {
      build_id: 7,
      ...{
        workflow_id: 'build-x',
        request_key: 'k',
        fingerprint: 'f',
        keyed: false,
        dedup_until: at(300),
        caller: 'local',
      },
      ...{ config_id: 1, config_version: 1, image_type: null, fedora_version: null, priority: 3 },
      request: { repository: 'o/r', workflow: 'b.yml', ref: 'main', inputs: { a: '1' } },
    },
    dedupe_key: 'queued',
  },
  { type: 'build_started', data: {}, dedupe_key: 'started' },
  { type: 'build_completed', data: { conclusion: 'dispatch_failed', ...ending }, dedupe_key: 'completed' },
  { type: 'build_dead_lettered', data: { reason: 'GitHub was away', attempts: 4 }, dedupe_key: 'dead_lettered' },
  {
    type: 'callback_failed',
    data: { webhook_id: 'msg_1', attempt: 1, status: 500, reason: 'answered with 500', next_at: at(9) },
    dedupe_key: 'callback:completed:1',
  },
  { type: 'build_retried', data: { retry: 1, mode: 'redispatch', by: 'me', retry_id: 'r' }, dedupe_key: 'retry:1' },
  {
    type: 'callback_delivered',
    data: { webhook_id: 'msg_1', attempt: 2, status: 200 },
    dedupe_key: 'callback:completed:2',
  },
  { type: 'build_started', data: {}, dedupe_key: 'retry:1:started' },
  { type: 'cancel_requested', data: { by: 'me' }, dedupe_key: 'retry:1:cancel' },
  { type: 'build_cancelled', data: { conclusion: 'cancelled', ...ending }, dedupe_key: 'retry:1:completed' },
] as const;
const events = TOLD.map(
  (event, n) => ({ ...event, occurred_at: at(n), hash: `${n}`.repeat(64) }) as unknown,
) as RecordedEvent[];
const composed = (of: readonly RecordedEvent[], which: string) => {
  const { webhook_id, body } = composeBuildCallback(of, which);
  return { webhook_id, ...buildCallback.parse(JSON.parse(body)) };
};

describe('what a callback says', () => {
  it('is the build as it ended then, and why it died, whatever became of it since', () => {
    for (const length of [4, 5, 6, events.length]) {
      expect(composed(events.slice(0, length), 'completed')).toMatchObject({
        webhook_id: `msg_${'2'.repeat(32)}`,
        type: 'build.completed',
        timestamp: at(2),
        data: { id: 7, status: 'failure', conclusion: 'dispatch_failed', reason: 'GitHub was away', retries: 0 },
      });
    }
  });

  it('is of each ending its own', () => {
    expect(composed(events, 'retry:1:completed')).toMatchObject({
      webhook_id: `msg_${'9'.repeat(32)}`,
      type: 'build.cancelled',
      timestamp: at(9),
      data: { status: 'cancelled', reason: null, retries: 1 },
    });
  });

  it('is the build before its run was started again at the forge', () => {
    const run = { workflow_run_id: 5, run_url: 'https://github.com/o/r/actions/runs/5' };
    const reopened = {
      type: 'build_reopened',
      data: { workflow_run_id: 5, run_attempt: 2, run_status: 'in_progress', request_id: null },
      ...{ dedupe_key: 'reopened:5:2', occurred_at: at(9), hash: 'o' },
    };
    const story = [
      ...events.slice(0, 2),
      { type: 'workflow_triggered', data: run, dedupe_key: 'run', occurred_at: at(2), hash: 'r' },
      {
        type: 'build_completed',
        data: { ...ending, conclusion: 'success', run_attempt: 1 },
        ...{ dedupe_key: 'done', occurred_at: at(3), hash: 'd' },
      },
      reopened,
    ] as unknown as RecordedEvent[];
    expect(composed(story, 'done').data).toMatchObject({ status: 'success', conclusion: 'success', run_attempt: 1 });
  });

  it('names the commit that the run worked on, as the forge told it before the ending or with it', () => {
    const ended = { ...ending, conclusion: 'success', run_attempt: 1 };
    const run = { workflow_run_id: 5, run_url: 'https://github.com/o/r/actions/runs/5' };
    const story = (before: object, after: object) =>
      [
        ...events.slice(0, 2),
        { type: 'workflow_triggered', data: { ...run, ...before }, dedupe_key: 'run', occurred_at: at(2), hash: 'r' },
        { type: 'build_completed', data: { ...ended, ...after }, dedupe_key: 'done', occurred_at: at(3), hash: 'd' },
      ] as unknown as RecordedEvent[];
    const commitOf = (before: object, after: object) => composed(story(before, after), 'done').data.commit;
    expect(commitOf({ commit: 'c0ffee' }, {})).toBe('c0ffee');
    expect(commitOf({}, { commit: 'c0ffee' })).toBe('c0ffee');
    expect(commitOf({}, {})).toBeNull();
    expect(composed(events, 'completed').data.commit).toBeNull();
  });

  it('is nothing before the ending is in the record', () => {
    expect(() => composed(events.slice(0, 2), 'completed')).toThrow('there is no event completed');
  });

  it('leaves the inputs out where the body would be larger than 20 KiB, by a byte', () => {
    const bodyOf = (length: number) => {
      const [queued, ...rest] = structuredClone(events) as [RecordedEvent, ...RecordedEvent[]];
      const data = queued.data as Extract<BuildEvent, { type: 'build_queued' }>['data'];
      data.request.inputs = { a: 'x'.repeat(length) };
      return composeBuildCallback([queued, ...rest], 'completed').body;
    };
    const room = 20 * 1024 - Buffer.byteLength(bodyOf(0));
    expect(Buffer.byteLength(bodyOf(room))).toBe(20 * 1024);
    expect(JSON.parse(bodyOf(room + 1)).data).not.toHaveProperty('inputs');
  });
});
