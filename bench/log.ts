/**
 * `npm run bench:log [-- --events N]`: what a log of a million events costs, on a Postgres server: reading one build's events
 * over HTTP, appending, rebuilding the projection, and auditing. docs/benchmarks.md says how to read it.
 */
import { parseArgs } from 'node:util';
import postgres from 'postgres';
import { migrateDatabase } from '../src/store/migrate.ts';
import type { AppendRounds, Appends } from './appends.ts';
import type { Round } from './closed-loop.ts';
import { openDatabaseServer } from './database-server.ts';
import type { HttpLoad } from './http-load.ts';
import { API_URL, type Processes } from './processes.ts';
import { runBenchmark, type Scratch } from './program.ts';
import { EVENTS_PER_BUILD, recordBuilds } from './told-builds.ts';

const { values } = parseArgs({ options: { events: { type: 'string', default: '1000000' } } });
const BUILDS = Math.ceil(Number(values.events) / EVENTS_PER_BUILD);
const EVENTS = BUILDS * EVENTS_PER_BUILD;

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
  // Nothing that is asked here needs Temporal, which need not be there.
  const api = processes.role('api', ['api'], { ...settings, PORT: '0', TEMPORAL_ADDRESS: '127.0.0.1:1' });
  const apiUrl = await api.said(API_URL);
  const load = processes.helper<HttpLoad>('http-load.ts');
  for (const connections of [1, 10]) {
    const reads = { kind: 'reads', url: apiUrl, connections, builds: BUILDS } as const;
    await load.ask({ ...reads, until: { count: 500 } }); // warms up
    const { perSecond, p50Ms, p99Ms } = await load.ask<Round>({ ...reads, until: { durationMs: 5_000 } });
    const figures = `${perSecond.toFixed(0)}/s, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`;
    console.log(`the events of one build over HTTP, ${connections} connections: ${figures}`);
  }
  await api.stop();

  const appends = processes.helper<Appends>('appends.ts');
  const { first, later } = await appends.ask<AppendRounds>({ url, directory, durationMs: 5_000 });
  console.log(`appends, 10 tellers: first ${first.perSecond.toFixed(0)}/s, later ${later.perSecond.toFixed(0)}/s`);

  await command(processes, 'rebuild', ['rebuild'], settings);
  await command(processes, 'audit verify', ['audit', 'verify'], settings);
}

async function command(
  processes: Processes,
  name: string,
  argv: string[],
  settings: Record<string, string>,
): Promise<void> {
  const ms = await timed(`hapax ${name}`, () => processes.role(argv.join('-'), argv, settings).ended());
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
