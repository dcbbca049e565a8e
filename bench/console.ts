/**
 * `node bench/console.ts [--builds N] [--minutes N]`: what the pages of the console cost on a Postgres server with that many builds:
 * time on the server, one request at a time, and bytes over the wire; and what a page costs that is open for so many minutes while
 * events pass by. docs/benchmarks.md says how to read it.
 */
import { parseArgs } from 'node:util';
import postgres from 'postgres';
import { migrateDatabase } from '../src/store/migrate.ts';
import { openDatabaseServer } from './database-server.ts';
import { measureOpenPage } from './open-page.ts';
import { API_URL } from './processes.ts';
import { runBenchmark, type Scratch } from './program.ts';
import { recordBuilds } from './told-builds.ts';

const { values } = parseArgs({
  options: { builds: { type: 'string', default: '100000' }, minutes: { type: 'string', default: '1' } },
});
const BUILDS = Number(values.builds);
const MINUTES = Number(values.minutes);
const REQUESTS = 40;

await runBenchmark('bench-console', main);

async function main({ processes, atEnd }: Scratch): Promise<void> {
  const server = await openDatabaseServer();
  atEnd(() => server.close());
  const { url } = server;
  await migrateDatabase(url);
  await recordBuilds(url, BUILDS);
  const admin = postgres(url, { max: 1 });
  await admin`VACUUM ANALYZE`;
  const [{ middle } = { middle: '' }] = await admin<{ middle: Date | string }[]>`
    SELECT created_at AS middle FROM builds ORDER BY created_at, id OFFSET ${Math.floor(BUILDS / 2)} LIMIT 1`;
  await admin.end();
  const settings = { DATABASE_URL: url, GITHUB_REPO: 'octocat/fedora-images', GITHUB_TOKEN: 'bench' };
  // Nothing that is asked here needs Temporal, which need not be there.
  const api = processes.role('api', ['api'], { ...settings, PORT: '0', TEMPORAL_ADDRESS: '127.0.0.1:1' });
  const apiUrl = await api.said(API_URL);
  const then = encodeURIComponent(new Date(middle).toISOString());
  console.log(`${BUILDS} builds, ${REQUESTS} requests each, one at a time`);
  for (const [name, path] of [
    ['overview', '/console'],
    ['builds', '/console/builds'],
    ['builds, failed', '/console/builds?status=failure'],
    ['builds of a ref', '/console/builds?ref=main'],
    ['builds as of the middle', `/console/builds?at=${then}`],
    ['one build', '/console/builds/1'],
    ['trigger', '/console/trigger'],
  ] as const) {
    const { bytes, times } = await ask(apiUrl + path);
    const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))]?.toFixed(1);
    console.log(`${name}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ${(bytes / 1_000).toFixed(1)} KB compressed`);
  }
  const open = await measureOpenPage({ url: apiUrl, pid: api.pid }, url, 10 * BUILDS + 1, MINUTES * 60_000);
  console.log(
    open
      ? `an open page at 10,000 events an hour, ${MINUTES} min: ${open.refreshes} refreshes, ${open.serverPercent.toFixed(2)} % of a core, ${open.heapMegabytes.toFixed(2)} MB and ${open.nodes} nodes more`
      : 'an open page: not measured, there is no Chromium',
  );
  await api.stop();
}

/** Asks for a page again and again. The first requests, which fill caches, are not counted. */
async function ask(url: string): Promise<{ bytes: number; times: number[] }> {
  const times: number[] = [];
  let bytes = 0;
  for (let n = -5; n < REQUESTS; n++) {
    const startedAt = performance.now();
    const response = await fetch(url, { headers: { accept: 'text/html', 'accept-encoding': 'gzip' } });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${url}: ${response.status} ${text.slice(0, 500)}`);
    if (n >= 0) times.push(performance.now() - startedAt);
    bytes = (await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer())
      .byteLength;
  }
  return { bytes, times: times.sort((a, b) => a - b) };
}
