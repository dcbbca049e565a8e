import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ListedRun } from '../../src/contracts/github/github.ts';
import { emptyListing, type ListingAsk, type ListingEvent, PAGE, step } from '../../src/domain/github/run-listing.ts';

const INTERVAL_MS = 30_000;

/** What may happen to a listing, besides that its asks are done. */
const happenings = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 0, max: 40_000 }),
    what: fc.constantFrom('followed', 'told', 'read', 'failed', 'rested'),
    runId: fc.integer({ min: 1, max: 1_000 }),
  }),
  { maxLength: 200 },
);

describe('the step of a listing', () => {
  it('asks for at most two pages in an interval, one at a time, whatever happens in whatever order', () => {
    fc.assert(
      fc.property(happenings, (all) => {
        let state = emptyListing();
        let at = 0;
        let open: ListingAsk[] = [];
        const reads: Array<{ page: number; at: number }> = [];
        for (const { afterMs, what, runId } of all) {
          at += afterMs;
          const event = eventOf(what, runId, at, open);
          if (!event) continue;
          const stepped = step(state, event);
          state = stepped.state;
          open = [...open, ...stepped.asks];
          for (const ask of stepped.asks) if (ask.kind === 'read') reads.push({ page: ask.page, at });
          expect(open.filter(({ kind }) => kind === 'read').length).toBeLessThanOrEqual(1);
        }
        const first = reads.filter(({ page }) => page === 1).map((read) => read.at);
        for (const [index, begun] of first.entries()) {
          const before = first[index - 1];
          if (before !== undefined) expect(begun - before).toBeGreaterThanOrEqual(INTERVAL_MS);
        }
        expect(reads.length).toBeLessThanOrEqual(2 * first.length);
      }),
    );
  });
});

/** The event, if it can happen now; takes the ask that it is the answer to. */
function eventOf(what: ListingEvent['kind'], runId: number, at: number, open: ListingAsk[]): ListingEvent | undefined {
  const take = (kind: ListingAsk['kind']) => {
    const index = open.findIndex((ask) => ask.kind === kind && (ask.kind === 'read' || ask.readAt + ask.ms <= at));
    return index === -1 ? undefined : open.splice(index, 1)[0];
  };
  switch (what) {
    case 'followed':
      return { kind: 'followed', at, runId, intervalMs: INTERVAL_MS };
    case 'told':
      return { kind: 'told', at, view: { ...runOf(runId), conclusion: null, run_url: '', request_id: null } };
    case 'read': {
      const ask = take('read');
      if (ask?.kind !== 'read') return undefined;
      const runs = Array.from({ length: PAGE }, (_, index) => runOf(1_000 - (ask.page - 1) * PAGE - index));
      return { kind: 'read', at, page: { etag: undefined, runs: runs as ListedRun[], last: ask.page >= 10 } };
    }
    case 'failed':
      return take('read') && { kind: 'failed', at, error: new Error('away') };
    case 'rested': {
      const ask = take('rest');
      return ask?.kind === 'rest' ? { kind: 'rested', at, readAt: ask.readAt } : undefined;
    }
    default:
      return what satisfies never;
  }
}

function runOf(run_id: number) {
  return { run_id, status: run_id % 7 === 0 ? 'completed' : 'queued', run_attempt: 1 };
}
