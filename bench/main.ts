/**
 * `npm run bench [-- --quick] [--tasks] [--triggers]`: what an accepted trigger (`--triggers`: only that), a task (`--tasks`: only that), a
 * duplicate, an append and the idle laptop mode cost.
 * docs/benchmarks.md says how to read it. All of it runs on this machine, in processes and a directory of its own.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Client } from '@temporalio/client';
import { findTemporalCli } from '../src/laptop/temporal-cli.ts';
import { migrateDatabase } from '../src/store/migrate.ts';
import { workflowBundle } from '../src/worker/bundle.ts';
import type { AppendRounds, Appends } from './appends.ts';
import type { BareStarts } from './bare-starts.ts';
import type { Round, Until } from './closed-loop.ts';
import { openDatabaseServer } from './database-server.ts';
import type { HttpLoad } from './http-load.ts';
import { memoryOfTree, type ProcessMemory } from './memory.ts';
import { openNamespace } from './namespace.ts';
import { API_URL, type Helper, type Processes, SIMULATOR_URL, UP_URL } from './processes.ts';
import { runBenchmark, type Scratch } from './program.ts';
import {
  type Comparison,
  type Duplicates,
  describeMachine,
  type Results,
  render,
  renderTasks,
  renderTriggers,
} from './report.ts';
import { send } from './send.ts';
import { compareTasks, type TaskComparison } from './task-comparison.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    tasks: { type: 'boolean', default: false },
    triggers: { type: 'boolean', default: false },
  },
});

/** How much of each is done. */
const EXTENT = values.quick
  ? { rounds: 1, roundMs: 500, warmUp: 100, sequence: 20, idleMs: 3_000, tasks: { rounds: 1, burst: 50, sequence: 10 } }
  : {
      // V8 still compiles during the first thousand triggers: the API takes half the processor time for each after them.
      ...{ rounds: 5, roundMs: 1_200, warmUp: 1_000, sequence: 100, idleMs: 20_000 },
      tasks: { rounds: 5, burst: 200, sequence: 50 },
    };
const CONNECTIONS = [1, 10, 50];

const OF_UP = { PORT: '0', TEMPORAL_UI_PORT: '0' };

await runBenchmark('bench', values.tasks ? onlyTasks : values.triggers ? onlyTriggers : main);

async function onlyTriggers(scratch: Scratch): Promise<void> {
  await findTemporalCli({ env: process.env, report: console.log });
  await workflowBundle();
  const started = await startUp(scratch);
  const laptop = await triggersInLaptopMode(started);
  const { accept } = await triggersWithoutWorker(started);
  console.log(`\n${renderTriggers({ accept, laptop })}`);
}

async function onlyTasks(scratch: Scratch): Promise<void> {
  await findTemporalCli({ env: process.env, report: console.log });
  console.log(`\n${renderTasks(await tasks(scratch))}`);
}

function tasks(scratch: Scratch): Promise<TaskComparison> {
  say('tasks in laptop mode, as Temporal alone runs them, and with Celery');
  return compareTasks(scratch, EXTENT.tasks);
}

async function main(scratch: Scratch): Promise<void> {
  const { directory, processes } = scratch;
  const cli = await findTemporalCli({ env: process.env, report: console.log });
  await workflowBundle();

  say(`idle memory of laptop mode (${EXTENT.idleMs / 1_000} s)`);
  const memory = await idleMemory(processes, directory);
  const started = await startUp(scratch);
  const { up, upUrl, load } = started;

  say('from trigger to build_started');
  await load.ask({ kind: 'until_started', url: upUrl, count: EXTENT.sequence / 5 }); // warms up
  const sequence = await load.ask<{ p50Ms: number; p99Ms: number }>({
    kind: 'until_started',
    url: upUrl,
    count: EXTENT.sequence,
  });
  const laptop = await triggersInLaptopMode(started);
  const { accept, api, apiUrl, server } = await triggersWithoutWorker(started);

  say('duplicates');
  const duplicates = { laptop: await repeat(load, upUrl), api: await repeat(load, apiUrl) };
  await api.stop();
  await up.stop();

  say('appends');
  const appends = processes.helper<Appends>('appends.ts');
  const extent = { directory: join(directory, 'appends'), durationMs: EXTENT.roundMs, above: 1_000_000 };
  const results: Results = {
    machine: describeMachine(cli),
    accept,
    laptop,
    duplicates,
    untilStarted: { count: EXTENT.sequence, ...sequence },
    memory,
    appends: {
      embedded: await appends.ask<AppendRounds>(extent),
      server: await appends.ask<AppendRounds>({ ...extent, url: server.url }),
    },
    tasks: await tasks(scratch),
  };
  mkdirSync('build', { recursive: true });
  writeFileSync('build/bench.json', `${JSON.stringify(results, null, 2)}\n`);
  console.log(`\n${render(results)}\n\nwritten to build/bench.json`);
}

type Started = Awaited<ReturnType<typeof startUp>>;

/** Laptop mode at a simulated GitHub whose runs end at once, and a process that sends requests. */
async function startUp(scratch: Scratch) {
  const { directory, processes } = scratch;
  const github = processes.role('github', ['simulate-github', '--queued', '0', '--running', '0'], {});
  const githubUrl = await github.said(SIMULATOR_URL);
  await send('PUT', `${githubUrl}/_simulator/settings`, { rate_limit: 1_000_000_000 });
  const toGitHub = {
    GITHUB_API_URL: githubUrl,
    GITHUB_TOKEN: 'bench',
    GITHUB_REPO: 'octocat/fedora-images',
    GITHUB_WRITE_INTERVAL: '0',
  };
  const up = processes.role('up', ['up'], {
    ...OF_UP,
    ...toGitHub,
    HAPAX_HOME: join(directory, 'home'),
    GITHUB_POLL_INTERVAL: '1s',
  });
  const upUrl = await up.said(UP_URL);
  const address = await up.said(/Temporal (\d\S+)/);
  return { scratch, githubUrl, toGitHub, up, upUrl, address, load: processes.helper<HttpLoad>('http-load.ts') };
}

async function triggersInLaptopMode({ scratch, githubUrl, upUrl, address, load }: Started): Promise<Comparison[]> {
  say('triggers in laptop mode');
  const { directory, processes } = scratch;
  const besideWorker = await openNamespace(address, 'bench-laptop');
  const bare = processes.helper<BareStarts>('bare-starts.ts');
  const worker = { directory: join(directory, 'bare'), githubUrl };
  await bare.ask({ kind: 'open', address, namespace: 'bench-laptop', worker });
  const inDefault = await openNamespace(address, 'default');
  const comparisons = await compare(load, upUrl, bare, () => endBuilds(inDefault, besideWorker));
  // Its worker would go on asking the next server that has this address.
  await bare.stop();
  return comparisons;
}

async function triggersWithoutWorker({ scratch, toGitHub, address, load }: Started) {
  say('triggers without a worker');
  const { processes, atEnd } = scratch;
  const server = await openDatabaseServer();
  atEnd(() => server.close());
  await migrateDatabase(server.url);
  await openNamespace(address, 'bench-accept');
  const api = processes.role('api', ['api'], {
    ...toGitHub,
    PORT: '0',
    DATABASE_URL: server.url,
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: 'bench-accept',
  });
  const apiUrl = await api.said(API_URL);
  const bare = processes.helper<BareStarts>('bare-starts.ts');
  await bare.ask({ kind: 'open', address, namespace: 'bench-accept' });
  const accept = await compare(load, apiUrl, bare, async () => {});
  await bare.stop();
  return { accept, api, apiUrl, server };
}

/** One trigger over and over, of which only the first is accepted. */
async function repeat(load: Helper<HttpLoad>, url: string): Promise<Duplicates> {
  const repeated = { kind: 'triggers', url, connections: 50, same: 'duplicate' } as const;
  await load.ask({ ...repeated, until: { count: EXTENT.warmUp } }); // warms up
  const until = { durationMs: EXTENT.roundMs };
  return {
    unkeyed: await load.ask<Round>({ ...repeated, until }),
    keyed: await load.ask<Round>({ ...repeated, until, key: 'bench' }),
  };
}

/** Triggers and bare starts in turn, at each number of connections. */
async function compare(
  load: Helper<HttpLoad>,
  url: string,
  bare: Helper<BareStarts>,
  settle: () => Promise<void>,
): Promise<Comparison[]> {
  const round = async (connections: number, until: Until) => {
    const triggers = await load.ask<Round>({ kind: 'triggers', url, connections, until });
    await settle();
    const starts = await bare.ask<Round>({ kind: 'starts', connections, until });
    await settle();
    return { triggers, starts };
  };
  await round(50, { count: EXTENT.warmUp }); // warms up
  const comparisons: Comparison[] = [];
  for (const connections of CONNECTIONS) {
    const comparison: Comparison = { connections, triggers: [], bare: [] };
    for (let n = 0; n < EXTENT.rounds; n++) {
      const { triggers, starts } = await round(connections, { durationMs: EXTENT.roundMs });
      comparison.triggers.push(triggers);
      comparison.bare.push(starts);
    }
    comparisons.push(comparison);
  }
  return comparisons;
}

/** Of the second start of one home, with the simulated GitHub inside, as `npm start` leaves it. */
async function idleMemory(processes: Processes, directory: string): Promise<ProcessMemory[]> {
  const settings = { ...OF_UP, HAPAX_HOME: join(directory, 'idle') };
  const first = processes.role('up-first', ['up'], settings);
  await first.said(UP_URL);
  await first.stop();
  const second = processes.role('up-second', ['up'], settings);
  await second.said(UP_URL);
  await delay(EXTENT.idleMs);
  const memory = memoryOfTree(second.pid);
  await second.stop();
  return memory;
}

/** Ends the builds that a round left behind, so that the next does not pay for them. */
async function endBuilds(...clients: Client[]): Promise<void> {
  for (const { workflow } of clients) {
    for (const giveUp = Date.now() + 60_000; ; await delay(100)) {
      const open: string[] = [];
      for await (const { workflowId } of workflow.list({ query: 'ExecutionStatus = "Running"' })) open.push(workflowId);
      if (open.length === 0) break;
      if (Date.now() > giveUp) throw new Error(`${open.length} builds do not end`);
      // Those that have ended meanwhile cannot be ended.
      await Promise.all(
        open.map((id) =>
          workflow
            .getHandle(id)
            .terminate('end of the round')
            .catch(() => {}),
        ),
      );
    }
  }
}

function say(line: string): void {
  console.log(`${(performance.now() / 1_000).toFixed(0).padStart(4)} s  ${line}`);
}
