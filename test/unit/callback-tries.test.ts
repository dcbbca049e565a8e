import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CallbackAnswer, callbackOutcome } from '../../src/domain/endings/callback-answer.ts';
import { callbackPause } from '../../src/domain/endings/callback-schedule.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const NOW = Date.parse('2026-11-21T10:00:00Z');

/** When the tries of a callback that always fails are, in milliseconds since the first. */
function tries(random: () => number, waitMs = 0): number[] {
  const at = [0];
  for (let failures = 1; ; failures++) {
    const pause = callbackPause(failures, at.at(-1)!, waitMs, random());
    if (pause === undefined) return at;
    at.push(at.at(-1)! + pause);
  }
}

describe('the schedule of a callback', () => {
  it('without jitter is 1, 2, 5, 15, 60 s, 5 min, 30 min, 2 h, then doubling up to 12 h, and a last one at 3 days', () => {
    const at = tries(() => 0);
    const pauses = at.slice(1).map((time, index) => time - at[index]!);
    const first = [1, 2, 5, 15, 60, 300, 1_800, 7_200].map((seconds) => seconds * SECOND);
    expect(pauses.slice(0, 8)).toEqual(first);
    expect(pauses.slice(8, -1)).toEqual([4, 8, 12, 12, 12, 12].map((hours) => hours * HOUR));
    expect(at.at(-1)).toBe(72 * HOUR);
  });

  it('with jitter is up to a quarter later, always grows to its end at 3 days, and is 13 to 16 tries', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 20, maxLength: 20 }), (draws) => {
        let drawn = 0;
        const at = tries(() => draws[drawn++ % draws.length]!);
        expect(at.at(-1)).toBe(72 * HOUR);
        expect(at.length).toBeGreaterThanOrEqual(13);
        expect(at.length).toBeLessThanOrEqual(16);
        for (let n = 1; n < at.length; n++) expect(at[n]!).toBeGreaterThan(at[n - 1]!);
      }),
    );
  });

  it('waits as long as the receiver asks, if that is longer, and ends where it asks for more than is left', () => {
    expect(callbackPause(1, 0, 90 * SECOND, 0.5)).toBe(90 * SECOND);
    expect(callbackPause(6, 0, 90 * SECOND, 0)).toBe(5 * MINUTE);
    expect(callbackPause(1, 71 * HOUR, HOUR, 0)).toBe(HOUR);
    expect(callbackPause(1, 71 * HOUR, HOUR + 1, 0)).toBeUndefined();
    expect(callbackPause(1, 72 * HOUR, 0, 0)).toBeUndefined();
  });
});

describe('what an answer to a callback means', () => {
  const outcome = (status: number, more: Partial<Extract<CallbackAnswer, { status: number }>> = {}) =>
    callbackOutcome({ retryAfter: undefined, body: '', ...more, status }, NOW);

  it('is a delivery for every 2xx and for no other', () => {
    for (let status = 100; status < 600; status++) {
      expect(outcome(status).kind === 'delivered', `${status}`).toBe(status >= 200 && status < 300);
    }
  });

  it('is the end for 410 alone; all else may change', () => {
    for (let status = 300; status < 600; status++) expect(outcome(status).kind === 'final').toBe(status === 410);
  });

  it.each<[string, number, string, 'delivered' | 'early' | 'final' | 'failed']>([
    ['the Wait node took it', 200, 'Workflow was started', 'delivered'],
    ['the execution has not reached its Wait node', 409, 'The execution "7" is running already.', 'early'],
    // Its quotes do not match in n8n itself.
    ['the execution has ended', 409, 'The execution "7 has finished already.', 'final'],
    ['the execution has ended, as other versions say', 409, 'The execution "7" has finished already.', 'final'],
    ['the execution has failed', 409, 'The execution "7" has finished with error.', 'final'],
    ['the execution was deleted', 404, 'The execution "7" does not exist.', 'final'],
    [
      'the Wait node takes GET only',
      404,
      'The workflow for execution "7" does not contain a waiting webhook with a matching path/method.',
      'failed',
    ],
    ['the workflow is not active', 404, 'The requested webhook "POST hush-hush" is not registered.', 'failed'],
    [
      'the webhook takes GET only',
      404,
      'This webhook is not registered for POST requests. Did you mean to make a GET request?',
      'failed',
    ],
    ['another conflict', 409, 'conflict', 'failed'],
    ['another 404', 404, 'The page does not exist.', 'failed'],
    ['another status with the same words', 500, 'The execution "7" has finished already.', 'failed'],
    ['another status with the same words', 403, 'The execution "7" does not exist.', 'failed'],
  ])('is read from what n8n answers: %s', (_when, status, message, kind) => {
    const answered = outcome(status, { body: JSON.stringify({ code: status, message, hint: 'A hint.' }) });
    expect(answered.kind).toBe(kind);
    expect(JSON.stringify(answered)).not.toContain('hush-hush');
  });

  it('says of a redirect that it is not followed', () => {
    expect(outcome(302)).toMatchObject({ kind: 'failed', reason: expect.stringContaining('not followed') });
  });

  it('reads Retry-After in seconds and as a date, and nothing else', () => {
    const wait = (retryAfter: string) => (outcome(503, { retryAfter }) as { wait_ms: number }).wait_ms;
    expect(wait('120')).toBe(120 * SECOND);
    expect(wait('Sat, 21 Nov 2026 10:05:00 GMT')).toBe(5 * MINUTE);
    for (const none of ['', 'soon', '-5', 'Sat, 21 Nov 2026 09:00:00 GMT', '1e99', '99999999999999']) {
      expect(wait(none), none).toBe(0);
    }
  });

  it('is a failure with its reason where none came', () => {
    expect(callbackOutcome({ status: null, reason: 'reset' }, NOW)).toEqual({
      kind: 'failed',
      status: null,
      reason: 'reset',
      wait_ms: 0,
    });
  });
});
