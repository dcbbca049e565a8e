/**
 * `npm run bench:log [-- --events N]`: what a log of a million events costs, on a Postgres server: reading one build's events
 * over HTTP, appending, alone and beside checkpoints, rebuilding the projection, and auditing. docs/benchmarks.md says how to read
 * it.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import postgres from 'postgres';
import { migrateDatabase } from '../src/store/migrate.ts';
import type { AppendRounds, Appends } from './appends.ts';
import type { Checkpointing } from './checkpointer.ts';
import { median, type Round } from './closed-loop.ts';
import { cpuByName } from './cpu.ts';
import { openDatabaseServer } from './database-server.ts';
import type { HttpLoad } from './http-load.ts';
import { API_URL, type Helper, type Processes } from './processes.ts';
import { runBenchmark, type Scratch } from './program.ts';
import { EVENTS_PER_BUILD, recordBuilds } from './told-builds.ts';

const { values } = parseArgs({
  options: { events: { type: 'string', default: '1000000' }, rounds: { type: 'string', default: '10' } },
});
const BUILDS = Math.ceil(Number(values.events) / EVENTS_PER_BUILD);
const EVENTS = BUILDS * EVENTS_PER_BUILD;
/** Rounds of appends alone, and as many beside checkpoints. */
const ROUNDS = Number(values.rounds);
/** A worker pauses for a minute; so nearly all that a round appends comes into a checkpoint within the round. */
const PAUSE_MS = 1_000;

await runBenchmark('bench-log', main);

async function main({ directory, processes, atEnd }: Scratch): Promise<void> {
  const server = await openDatabaseServer();
  atEnd(() => server.close());
  const { url } = server;
  await migrateDatabase(url);
  await timed(`recording ${EVENTS} events of ${BUILDS} builds`, () => recordBuilds(url, BUILDS));
  const admin = postgres(url, { max: 1 });
  await admin`VACUUM ANALYZE`;
  const [size] = await admin<{ events: string; builds: string }[]>`
    SELECT pg_size_pretty(pg_total_relation_size('events')) AS events, pg_size_pretty(pg_total_relation_size('builds')) AS builds`;
  console.log(`size: events ${size?.events}, builds ${size?.builds}`);
  await admin.end();

  const settings = { DATABASE_URL: url, GITHUB_REPO: 'octocat/fedora-images', GITHUB_TOKEN: 'bench' };
  await reads(processes, settings);

  const checkpoints = processes.helper<Checkpointing>('checkpointer.ts');
  await timed('the first checkpoint', () => checkpoints.ask({ kind: 'catch_up', url }));
  await timed('publishing it', () => checkpoints.ask({ kind: 'catch_up', url, directory }));
  const note = join(directory, 'kept.txt');
  const database = postgres(url, { max: 1 });
  const [kept] = await database<{ note: string; verifier_key: string }[]>`
    SELECT note, verifier_key FROM checkpoints ORDER BY size DESC LIMIT 1`;
  await database.end();
  await writeFile(note, kept!.note);

  await command(processes, 'rebuild', ['rebuild'], settings);
  await command(processes, 'audit verify', ['audit', 'verify'], settings);
  const withCheckpoint = ['audit', 'verify', '--checkpoint', note, '--key', kept!.verifier_key];
  await command(processes, 'audit verify --checkpoint', withCheckpoint, settings);

  await appending(processes.helper<Appends>('appends.ts'), checkpoints, { url, directory });
}

async function reads(processes: Processes, settings: Record<string, string>): Promise<void> {
  // Nothing that is asked here needs Temporal, which need not be there.
  const api = processes.role('api', ['api'], { ...settings, PORT: '0', TEMPORAL_ADDRESS: '127.0.0.1:1' });
  const apiUrl = await api.said(API_URL);
  const load = processes.helper<HttpLoad>('http-load.ts');
  for (const connections of [1, 10]) {
    const read = { kind: 'reads', url: apiUrl, connections, builds: BUILDS } as const;
    await load.ask({ ...read, until: { count: 500 } }); // warms up
    const { perSecond, p50Ms, p99Ms } = await load.ask<Round>({ ...read, until: { durationMs: 5_000 } });
    const figures = `${perSecond.toFixed(0)}/s, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`;
    console.log(`the events of one build over HTTP, ${connections} connections: ${figures}`);
  }
  await api.stop();
}

/** Appends alone and beside checkpoints, in turns, so that what else the machine does meets both alike. */
async function appending(
  appends: Helper<Appends>,
  checkpoints: Helper<Checkpointing>,
  target: { url: string; directory: string },
): Promise<void> {
  const alone: Measured[] = [];
  const beside: Measured[] = [];
  let above = BUILDS;
  const measure = async (): Promise<Measured> => {
    above += 1_000_000;
    const before = cpuMs();
    const { first, later } = await appends.ask<AppendRounds>({ ...target, durationMs: 5_000, above });
    return { first, later, cpuMs: (cpuMs() - before) / ((first.perSecond + later.perSecond) * 5) };
  };
  for (let round = 0; round < ROUNDS; round++) {
    await checkpoints.ask({ kind: 'catch_up', url: target.url });
    alone.push(await measure());
    await checkpoints.ask({ kind: 'catch_up', url: target.url });
    await checkpoints.ask({ kind: 'start', url: target.url, pauseMs: PAUSE_MS });
    beside.push(await measure());
    await checkpoints.ask({ kind: 'stop' });
  }
  for (const [name, of] of [
    ['first', ({ first }: Measured) => first.perSecond],
    ['later', ({ later }: Measured) => later.perSecond],
  ] as const) {
    const ratio = median(beside.map((one, round) => of(one) / of(alone[round]!)));
    const rates = [alone, beside].map((rounds) => `${median(rounds.map(of)).toFixed(0)}/s`);
    console.log(
      `${name} events appended, 10 writers: ${rates[0]} alone, ${rates[1]} beside checkpoints, ratio ${ratio.toFixed(3)}`,
    );
  }
  const [own, all] = [alone, beside].map((rounds) => median(rounds.map((one) => one.cpuMs))) as [number, number];
  console.log(`CPU of an append: ${own.toFixed(3)} ms alone, ${all.toFixed(3)} ms with its share of checkpoints`);
}

interface Measured extends AppendRounds {
  /** CPU of all processes for each append. */
  cpuMs: number;
}

function cpuMs(): number {
  return [...cpuByName(process.pid).values()].reduce((sum, ms) => sum + ms, 0);
}

async function command(
  processes: Processes,
  name: string,
  argv: string[],
  settings: Record<string, string>,
): Promise<void> {
  const ms = await timed(`hapax ${name}`, () => processes.role(argv.slice(0, 2).join('-'), argv, settings).ended());
  console.log(`hapax ${name}: ${((EVENTS / ms) * 1_000).toFixed(0)} events/s`);
}

/** How long the work took, milliseconds. */
async function timed(what: string, work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  const ms = performance.now() - startedAt;
  console.log(`${what}: ${(ms / 1_000).toFixed(1)} s`);
  return ms;
}
