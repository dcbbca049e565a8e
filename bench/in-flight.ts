/**
 * `node bench/in-flight.ts [--builds 1000] [--workers 2] [--interval 10s] [--intervals 6]`: what following many builds of one
 * repository costs: calls to GitHub, memory and CPU of the workers, and how late an end is seen without webhooks. Everything
 * runs on this machine: a Temporal server, a Postgres server, a simulated GitHub, the API and the workers, each a process.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { durationMs } from '../src/contracts/duration.ts';
import { SEARCH_ATTRIBUTES } from '../src/contracts/search-attributes.ts';
import { findTemporalCli } from '../src/laptop/temporal-cli.ts';
import { startTemporalServer } from '../src/laptop/temporal-server.ts';
import { migrateDatabase } from '../src/store/migrate.ts';
import { workflowBundle } from '../src/worker/bundle.ts';
import { cpuMsOf } from './cpu.ts';
import { openDatabaseServer } from './database-server.ts';
import { memoryOfTree } from './memory.ts';
import { API_URL, SIMULATOR_URL } from './processes.ts';
import { runBenchmark, type Scratch } from './program.ts';
import { send } from './send.ts';

const { values } = parseArgs({
  options: {
    builds: { type: 'string', default: '1000' },
    workers: { type: 'string', default: '2' },
    interval: { type: 'string', default: '10s' },
    intervals: { type: 'string', default: '6' },
  },
});
const BUILDS = Number(values.builds);
const WORKERS = Number(values.workers);
const INTERVALS = Number(values.intervals);
const INTERVAL_MS = durationMs(values.interval) ?? 10_000;
const CONNECTIONS = 20;
const SETTLE_TIMEOUT_MS = 1_800_000;

interface Oracle {
  runs: number;
  requests: { list: number; get: number };
  not_modified: number;
}

await runBenchmark('in-flight', main);

async function main({ directory, processes, atEnd }: Scratch): Promise<void> {
  const cli = await findTemporalCli({ env: process.env, report: console.log });
  await workflowBundle();
  const temporal = await startTemporalServer({ cli, directory, uiPort: null, searchAttributes: SEARCH_ATTRIBUTES });
  atEnd(() => temporal.close());
  const database = await openDatabaseServer();
  atEnd(() => database.close());
  await migrateDatabase(database.url);

  const simulator = processes.role('github', ['simulate-github', '--queued', '0'], {});
  const github = `${await simulator.said(SIMULATOR_URL)}/_simulator`;
  await send('PUT', `${github}/settings`, { rate_limit: 1_000_000_000, running_for_ms: null });
  const settings = {
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: temporal.address,
    GITHUB_API_URL: github.replace('/_simulator', ''),
    GITHUB_TOKEN: 'bench',
    GITHUB_REPO: 'octocat/fedora-images',
    GITHUB_WRITE_INTERVAL: '0',
    GITHUB_POLL_INTERVAL: `${INTERVAL_MS}ms`,
    WORKER_CONCURRENCY: '4',
  };
  const api = processes.role('api', ['api'], { ...settings, PORT: '0' });
  const url = await api.said(API_URL);
  const workers = Array.from({ length: WORKERS }, (_, n) => processes.role(`worker-${n}`, ['worker'], settings));
  await Promise.all(workers.map((worker) => worker.said(/(worker is up)/)));
  const oracle = () => send<Oracle>('GET', `${github}/oracle`);

  const startedAt = performance.now();
  const ids = await trigger(url);
  await until(async () => (await oracle()).runs === BUILDS, 'all runs');
  // The first looks are over when nobody asks about a run any more for two intervals.
  let before = await oracle();
  await until(async () => {
    await delay(2 * INTERVAL_MS);
    const asked = before;
    before = await oracle();
    return before.requests.get === asked.requests.get;
  }, 'the first looks');
  console.log(`${BUILDS} builds in flight after ${seconds(performance.now() - startedAt)}`);

  // From behind a reading on, so that the window holds as many readings as it has intervals.
  await until(async () => (await oracle()).requests.list !== before.requests.list, 'a list call');
  await delay(1_000);
  const measuredFrom = performance.now();
  before = await oracle();
  const peakMb = workers.map(() => 0);
  const cpuBefore = workers.map(({ pid }) => cpuMsOf(pid));
  for (let second = 0; second < (INTERVALS * INTERVAL_MS) / 1_000; second++) {
    await delay(1_000);
    for (const [n, { pid }] of workers.entries()) {
      const rssMb = memoryOfTree(pid).reduce((sum, process) => sum + process.rssMb, 0);
      peakMb[n] = Math.max(peakMb[n] ?? 0, rssMb);
    }
  }
  const after = await oracle();
  const elapsedMs = performance.now() - measuredFrom;
  const perInterval = (count: number) => ((count * INTERVAL_MS) / elapsedMs / WORKERS).toFixed(2);
  const cpu = workers.map(({ pid }, n) => cpuMsOf(pid) - (cpuBefore[n] ?? 0));
  console.log(`per interval (${values.interval}) and worker, over ${INTERVALS} intervals and ${WORKERS} workers:`);
  console.log(`  list calls             ${perInterval(after.requests.list - before.requests.list)}`);
  console.log(`  of them free (304)     ${perInterval(after.not_modified - before.not_modified)}`);
  console.log(`  calls for single runs  ${perInterval(after.requests.get - before.requests.get)}`);
  console.log(`worker, resident memory  ${peakMb.map((mb) => `${mb.toFixed(0)} MB`).join(', ')} at most`);
  const share = cpu.map((used) => `${((100 * used) / elapsedMs).toFixed(0)} %`);
  console.log(`worker, CPU              ${share.join(', ')} of a core`);

  for (const [which, id] of [
    ['newest', ids.at(-1)!],
    ['oldest', ids[0]!],
  ] as const) {
    const { workflow_run_id: run } = await send<{ workflow_run_id: number }>('GET', `${url}/builds/${id}`);
    await send('POST', `${github}/runs/${run}`, { status: 'completed', conclusion: 'success' });
    const endedAt = performance.now();
    await until(async () => (await send<{ status: string }>('GET', `${url}/builds/${id}`)).status === 'success', which);
    console.log(`end of the ${which} run seen after ${seconds(performance.now() - endedAt)}, without webhooks`);
  }
}

/** Triggers all builds; their ids in order. */
async function trigger(url: string): Promise<number[]> {
  const ids: number[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (next < BUILDS) {
        const { id } = await send<{ id: number }>('POST', `${url}/builds/trigger`, { ref: `in-flight-${next++}` });
        ids.push(id);
      }
    }),
  );
  return ids.sort((a, b) => a - b);
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (const giveUp = Date.now() + SETTLE_TIMEOUT_MS; !(await holds()); await delay(100)) {
    if (Date.now() > giveUp) throw new Error(`waited too long for ${what}`);
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
