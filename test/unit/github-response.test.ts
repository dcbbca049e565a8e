import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyDispatch, clockAhead, type ForgeResponse } from '../../src/domain/github/response.ts';

const NOW = Date.parse('2026-11-21T10:00:00Z');
const classify = (answer: ForgeResponse) => classifyDispatch(answer, true, NOW);
const answered = (status: number, body: unknown = {}, headers: Record<string, string> = {}) =>
  classify({ status, headers, body });

describe('what an answer to a dispatch means', () => {
  it('is accepted only with a run id', () => {
    const body = { workflow_run_id: 22_000_000_000, run_url: 'api', html_url: 'page' };
    expect(answered(200, body, { 'x-github-request-id': 'R' })).toEqual({
      kind: 'accepted',
      run_id: 22_000_000_000,
      run_url: 'page',
      correlated: true,
      request_id: 'R',
    });
    for (const garbled of [
      '<html>',
      '',
      null,
      {},
      { workflow_run_id: '5' },
      { workflow_run_id: 0 },
      { workflow_run_id: 1.5 },
    ]) {
      expect(answered(200, garbled)).toMatchObject({ kind: 'ambiguous', accepted: true });
    }
    expect(answered(204, '')).toMatchObject({ kind: 'ambiguous', accepted: true });
  });

  it('is not sent only where no connection was made', () => {
    for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']) {
      expect(classify({ code, message: '' })).toMatchObject({ kind: 'not_sent', wait_ms: null });
    }
    for (const code of ['ECONNRESET', 'EPIPE', 'TIMEOUT', 'UND_ERR_SOCKET', 'UND_ERR_HEADERS_TIMEOUT', 'UNKNOWN']) {
      expect(classify({ code, message: '' })).toMatchObject({ kind: 'ambiguous', accepted: false });
    }
  });

  it('is a wait as told for rate limits, which do not execute', () => {
    const reset = String(NOW / 1_000 + 90);
    expect(answered(403, {}, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset })).toMatchObject({
      kind: 'not_sent',
      wait_ms: 90_000,
    });
    expect(
      answered(429, {}, { 'retry-after': '7', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset }),
    ).toMatchObject({ wait_ms: 7_000 });
    // Somebody in between sends a time, in seconds since 1970.
    expect(answered(429, {}, { 'retry-after': '1764448793' })).toMatchObject({ wait_ms: 86_400_000 });
    expect(answered(429, {}, { 'retry-after': '99999999999999' })).toMatchObject({ wait_ms: 86_400_000 });
    expect(answered(429)).toMatchObject({ kind: 'not_sent', wait_ms: 60_000 });
    expect(answered(403, { message: 'You have exceeded a secondary rate limit.' })).toMatchObject({
      kind: 'not_sent',
      wait_ms: 60_000,
    });
    expect(answered(403, { message: 'Resource not accessible' }, { 'x-ratelimit-remaining': '4999' })).toMatchObject({
      kind: 'rejected',
    });
  });

  it('is a wait until a date, by the clock of who sends it, as a proxy may tell it', () => {
    const at = (ms: number) => new Date(NOW + ms).toUTCString();
    for (const status of [403, 429]) {
      expect(answered(status, {}, { 'retry-after': at(90_000) })).toMatchObject({ kind: 'not_sent', wait_ms: 90_000 });
      const ahead = { date: at(3_600_000), 'retry-after': at(3_690_000) };
      expect(answered(status, {}, ahead)).toMatchObject({ kind: 'not_sent', wait_ms: 90_000 });
      expect(answered(status, {}, { 'retry-after': at(-1_000) })).toMatchObject({ kind: 'not_sent', wait_ms: 1_000 });
    }
    expect(answered(429, {}, { 'retry-after': 'soon' })).toMatchObject({ wait_ms: 60_000 });
  });

  it("is a rejection, with GitHub's words, for other 4xx", () => {
    expect(answered(422, { message: 'No ref found for: x' })).toMatchObject({
      kind: 'rejected',
      status: 422,
      message: 'No ref found for: x',
    });
  });

  it('reads the reset of a limit by the clock of GitHub, however far ours is off', () => {
    for (const offMs of [-3_600_000, 3_600_000]) {
      const date = new Date(NOW + offMs).toUTCString();
      const reset = String((NOW + offMs) / 1_000 + 90);
      const headers = { date, 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset };
      expect(answered(403, {}, headers)).toMatchObject({ kind: 'not_sent', wait_ms: 90_000 });
    }
  });

  it('is a wait where a person has to change something first, whatever the status', () => {
    for (const status of [301, 401, 403, 404, 407]) {
      const answer = { status, headers: {}, body: { message: 'no' } };
      expect(classify({ ...answer, trouble: { reason: 'why' } })).toEqual({
        kind: 'not_sent',
        reason: 'why',
        wait_ms: null,
      });
      expect(classify({ ...answer, trouble: { reason: 'why', patience_ms: 5 } })).toMatchObject({
        kind: 'not_sent',
        refusal: { status, message: 'no', patience_ms: 5 },
      });
    }
  });

  it('never calls a 5xx or a redirect settled, whatever it carries', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 300, max: 399 }), fc.integer({ min: 500, max: 599 })),
        fc.jsonValue(),
        (status, body) => {
          expect(answered(status, body)).toMatchObject({ kind: 'ambiguous', accepted: false });
        },
      ),
    );
  });
});

describe("GitHub's clock", () => {
  const MS = fc.integer({ min: 0, max: 60_000 });

  it('shows no difference from ours that whole seconds and a slow answer may make', () => {
    const ours = { asked: MS, wasOnTheWay: MS, came: MS };
    fc.assert(
      fc.property(fc.record(ours), ({ asked, wasOnTheWay, came }) => {
        const sentAt = NOW + asked;
        const shown = Math.floor((sentAt + wasOnTheWay) / 1_000) * 1_000;
        expect(clockAhead(shown, sentAt, sentAt + wasOnTheWay + came)).toBe(0);
      }),
    );
  });

  it('is known to half of what the answer took, and half a second', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e9 }), MS, MS, (aheadMs, wasOnTheWay, came) => {
        const shown = Math.floor((NOW + wasOnTheWay + aheadMs) / 1_000) * 1_000;
        const found = clockAhead(shown, NOW, NOW + wasOnTheWay + came);
        expect(Math.abs(found - aheadMs)).toBeLessThanOrEqual(
          found === 0 ? wasOnTheWay + came + 999 : (wasOnTheWay + came + 999) / 2,
        );
      }),
    );
  });
});
