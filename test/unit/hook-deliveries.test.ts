import { describe, expect, it } from 'vitest';
import { type HookDelivery, missedDeliveries } from '../../src/domain/github/hook-deliveries.ts';

const SINCE = '2026-11-21T10:00:00Z';
let lastId = 0;
const delivery = (guid: string, status_code: number, change: Partial<HookDelivery> = {}): HookDelivery => ({
  id: ++lastId,
  guid,
  event: 'workflow_run',
  status_code,
  delivered_at: '2026-11-21T10:00:01Z',
  redelivery: false,
  ...change,
});
const missed = (...listed: HookDelivery[]) => missedDeliveries(listed.reverse(), SINCE).map(({ id }) => id);

describe('the deliveries to ask for again', () => {
  it('are those that nobody took, once each, by their last attempt', () => {
    const first = delivery('a', 502);
    const again = delivery('a', 0, { redelivery: true });
    expect(missed(first, again, delivery('b', 202))).toEqual([again.id]);
  });

  it.each([
    ['arrived at the second attempt', [delivery('a', 0), delivery('a', 202)]],
    ['was tried three times', [delivery('a', 0), delivery('a', 0), delivery('a', 502)]],
    ['was looked at before', [delivery('a', 0, { delivered_at: '2026-11-21T09:59:59Z' })]],
    ['was first tried before what is listed', [delivery('a', 0, { redelivery: true })]],
    ['is about something else', [delivery('a', 0, { event: 'push' })]],
  ])('are none that %s', (_, listed) => {
    expect(missed(...listed)).toEqual([]);
  });
});
