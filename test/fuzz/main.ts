/**
 * `npm run fuzz`: searches for faults that nobody thought of; docs/testing.md says what and how. Options:
 *
 *   --seed N        the first seed; a search that is repeated under it finds the same
 *   --schedules N   how many schedules (default 10,000)
 *   --seconds S     ends after so long (default: no limit)
 *   --found         instead: the seeds that found a fault once
 *   --mutations     instead: puts faults into the workflow code and sees that each is found
 *   --temporal      instead: schedules over a real Temporal server (default 300)
 *   --kills N       instead: kill -9 of API, worker, Temporal and Postgres under load
 *   --api           instead: what the API's description allows and forbids, sent to a running API
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startVitest } from 'vitest/node';
import { FOUND } from './found.ts';
import { installHooks } from './hooks.ts';

type Searching = typeof import('./search.ts');

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    schedules: { type: 'string' },
    seconds: { type: 'string' },
    found: { type: 'boolean', default: false },
    mutations: { type: 'boolean', default: false },
    temporal: { type: 'boolean', default: false },
    kills: { type: 'string' },
    api: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const schedules = Number(values.schedules ?? (values.temporal ? 300 : 10_000));
process.env.FUZZ_SEED = values.seed;

if (values.kills !== undefined) {
  process.env.FUZZ_KILLS = values.kills;
  await underVitest('test/fuzz/kills.ts');
} else if (values.temporal) {
  process.env.FUZZ_SCHEDULES = String(schedules);
  await end(await findNothingOverTemporal());
} else if (values.api) {
  process.env.FUZZ_SECONDS = values.seconds ?? '600';
  await underVitest('test/end-to-end/api-fuzz.test.ts');
} else {
  installHooks();
  const searching = await import('./search.ts');
  const isFine = values.mutations ? await findMutations(searching) : await findNothing(searching);
  await end(isFine);
}

/** Ends the program when all it said is written: a pipe whose reader is busy takes few lines, and an exit drops the others. */
async function end(isFine: boolean): Promise<never> {
  await new Promise((resolve) => process.stdout.write('', resolve));
  process.exit(isFine ? 0 : 1);
}

/** Searches the code as it is; true where no schedule has a violation. */
async function findNothing({ search, shrink, seedsFrom }: Searching): Promise<boolean> {
  const startedAt = performance.now();
  const milliseconds = values.seconds === undefined ? Number.POSITIVE_INFINITY : Number(values.seconds) * 1_000;
  const counts: Record<string, number> = {};
  let lived = 0;
  let builds = 0;
  const seeds = values.found ? FOUND.keys() : seedsFrom(seed, schedules);
  if (!values.found) console.log(`searching from seed ${seed}`);
  const found = await search({ seeds, milliseconds }, (outcome) => {
    lived += 1;
    builds += outcome.builds;
    for (const [what, times] of Object.entries(outcome.counts)) counts[what] = (counts[what] ?? 0) + times;
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  if (!found)
    for (const [what, times] of Object.entries(counts).sort()) console.log(`${String(times).padStart(8)}  ${what}`);
  console.log(
    `${lived} schedules, ${builds} builds in ${seconds.toFixed(1)} s (${(lived / seconds).toFixed(0)} a second)`,
  );
  if (!found) return true;
  const { without, outcome } = await shrink(found.seed, undefined);
  console.log(`VIOLATION under seed ${found.seed}, also without ${[...without].join(', ') || 'nothing'}:`);
  for (const line of [...outcome.violations, ...outcome.story]) console.log(line);
  return false;
}

/** Searches the code with a fault put into it, one after the other; true where each is found in time. */
async function findMutations({ search, seedsFrom }: Searching): Promise<boolean> {
  const { MUTATIONS } = await import('./mutations.ts');
  let isFine = true;
  for (const mutation of MUTATIONS) {
    if (mutation.within > schedules) continue;
    let lived = 0;
    const found = await search({ seeds: seedsFrom(seed, mutation.within), mutation }, () => (lived += 1));
    console.log(
      found
        ? `found after ${lived}: ${mutation.name} (${found.violations[0]})`
        : `NOT FOUND in ${lived}: ${mutation.name}`,
    );
    isFine &&= found !== undefined;
  }
  return isFine;
}

function findNothingOverTemporal(): Promise<boolean> {
  return underVitest('test/workflows/schedules.test.ts', ['test/world/global.ts']);
}

/** The parts of test/world are put together under vitest; these programs are no tests, so not in its configuration. */
async function underVitest(file: string, globalSetup: string[] = []): Promise<boolean> {
  const vitest = await startVitest('test', [], {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    config: false,
    watch: false,
    include: [file],
    globalSetup,
    hookTimeout: 120_000,
    disableConsoleIntercept: true,
  });
  const isFine = vitest.state.getCountOfFailedTests() === 0 && vitest.state.getUnhandledErrors().length === 0;
  await vitest.close();
  return isFine;
}
