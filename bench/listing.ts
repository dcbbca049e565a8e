/**
 * `node bench/listing.ts [--repositories 1] [--runs 100000] [--interval 30s] [--hours 1]`: what one worker asks GitHub to follow many
 * runs that do not end, by simulation: the code that decides what is read, in virtual time, with a GitHub that answers at once.
 */
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { durationMs } from '../src/contracts/duration.ts';
import type { ListedRun } from '../src/contracts/github/github.ts';
import {
  emptyListing,
  type ListingAsk,
  type ListingEvent,
  lookFor,
  PAGE,
  step,
} from '../src/domain/github/run-listing.ts';

const { values } = parseArgs({
  options: {
    repositories: { type: 'string', default: '1' },
    runs: { type: 'string', default: '100000' },
    interval: { type: 'string', default: '30s' },
    hours: { type: 'string', default: '1' },
  },
});
const REPOSITORIES = Number(values.repositories);
const RUNS = Number(values.runs) / REPOSITORIES;
const INTERVAL_MS = durationMs(values.interval) ?? 30_000;
const HOUR_MS = 3_600_000;
/** Not counted: until everybody knows on which page its run is. */
const WARM_UP_MS = HOUR_MS;
const END_MS = WARM_UP_MS + Number(values.hours) * HOUR_MS;
const SEEN = { status: 'in_progress', run_attempt: 1 };

const counted = { lists: 0, changed: 0, singles: 0, looks: 0 };
const startedAt = performance.now();
for (let repository = 0; repository < REPOSITORIES; repository++) live();
const tookMs = performance.now() - startedAt;

const hours = Number(values.hours);
const perHour = (count: number) => Math.round(count / hours).toLocaleString('en');
console.log(`${values.runs} runs in ${REPOSITORIES} repositories, looked at every ${values.interval}, by simulation:`);
console.log(
  `  list calls an hour          ${perHour(counted.lists)}, ${perHour(counted.lists - counted.changed)} of them free (304)`,
);
console.log(`  calls for single runs an hour ${perHour(counted.singles)}`);
console.log(`  looks an hour               ${perHour(counted.looks)}`);
console.log(`  resident memory             ${Math.round(process.memoryUsage.rss() / 1_048_576)} MB`);
console.log(`  time to simulate ${hours + WARM_UP_MS / HOUR_MS} h        ${(tookMs / 1_000).toFixed(1)} s`);

/** One repository: every run is looked for when it is due, and GitHub is asked where the listing says so. */
function live(): void {
  let state = emptyListing();
  let now = 0;
  /** Looks that are due, by the second. */
  const due = new Map<number, number[]>();
  const rests: Array<{ at: number; readAt: number }> = [];
  const book = (run: number, at: number) => {
    const second = Math.ceil(at / 1_000);
    const booked = due.get(second);
    if (booked) booked.push(run);
    else due.set(second, [run]);
  };
  const isCounted = () => now >= WARM_UP_MS;
  const take = (event: ListingEvent): void => {
    const taken = step(state, event);
    state = taken.state;
    for (const ask of taken.asks) answer(ask);
  };
  const answer = (ask: ListingAsk): void => {
    if (ask.kind === 'rest') return void rests.push({ at: now + ask.ms, readAt: ask.readAt });
    if (isCounted()) counted.lists += 1;
    const etag = `page ${ask.page}`;
    if (ask.etag !== etag && isCounted()) counted.changed += 1;
    const newest = RUNS - (ask.page - 1) * PAGE;
    const runs = Array.from(
      { length: Math.min(PAGE, Math.max(0, newest)) },
      (_, index) => ({ run_id: newest - index, ...SEEN }) as ListedRun,
    );
    take({ kind: 'read', at: now, page: ask.etag === etag ? undefined : { etag, runs, last: newest <= PAGE } });
  };
  for (let run = 1; run <= RUNS; run++) book(run, (run / RUNS) * INTERVAL_MS);
  for (let second = 0; second * 1_000 < END_MS; second++) {
    now = second * 1_000;
    for (const rest of rests.splice(0)) {
      if (rest.at <= now) take({ kind: 'rested', at: now, readAt: rest.readAt });
      else rests.push(rest);
    }
    for (const run of due.get(second) ?? []) {
      take({ kind: 'followed', at: now, runId: run, intervalMs: INTERVAL_MS });
      const { doubtful, staleInMs } = lookFor(state, run, SEEN, INTERVAL_MS, now);
      if (isCounted()) counted.looks += 1;
      if (doubtful) {
        if (isCounted()) counted.singles += 1;
        take({
          kind: 'told',
          at: now,
          view: { run_id: run, run_url: '', conclusion: null, request_id: null, ...SEEN },
        });
      }
      book(run, now + Math.max(1_000, staleInMs));
    }
    due.delete(second);
  }
}
