/**
 * `npm run bench:subscriptions [-- --events N]`: from the recording of an event until a receiver has it, with 20 subscriptions in
 * laptop mode. Five receivers always fail: two answer 500, two close the connection, and one never answers.
 */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { quantile } from './closed-loop.ts';
import { SIMULATOR_URL, UP_URL } from './processes.ts';
import { runBenchmark, type Scratch } from './program.ts';
import { send } from './send.ts';

const { values } = parseArgs({ options: { events: { type: 'string', default: '1000' } } });
const EVENTS = Number(values.events);
/** Triggers a second: about 35 events. */
const PAUSE_MS = 200;

type Manner = (response: ServerResponse) => void;
const takes: Manner = (response) => response.writeHead(204).end();
const FAILING: Manner[] = [
  (response) => response.writeHead(500).end(),
  (response) => response.writeHead(500).end(),
  ({ socket }) => socket?.destroy(),
  ({ socket }) => socket?.destroy(),
  () => {},
];
const HEALTHY = 15;

await runBenchmark('bench-subscriptions', main);

async function main({ directory, processes, atEnd }: Scratch): Promise<void> {
  const github = processes.role('github', ['simulate-github', '--queued', '0', '--running', '0'], {});
  const githubUrl = await github.said(SIMULATOR_URL);
  await send('PUT', `${githubUrl}/_simulator/settings`, { rate_limit: 1_000_000_000 });
  const up = processes.role('up', ['up'], {
    ...{ PORT: '0', TEMPORAL_UI_PORT: '0', HAPAX_HOME: join(directory, 'home'), CALLBACK_ALLOWED_HOSTS: '127.0.0.1' },
    ...{ GITHUB_API_URL: githubUrl, GITHUB_TOKEN: 'bench', GITHUB_REPO: 'octocat/fedora-images' },
    ...{ GITHUB_POLL_INTERVAL: '1s', GITHUB_WRITE_INTERVAL: '0' },
  });
  const upUrl = await up.said(UP_URL);
  const receivers = await Promise.all([...Array<Manner>(HEALTHY).fill(takes), ...FAILING].map(openReceiver));
  atEnd(async () => {
    for (const { close } of receivers) close();
  });
  for (const { url } of receivers) await send('POST', `${upUrl}/subscriptions`, { url, filter: { kinds: ['build'] } });

  const healthy = receivers.slice(0, HEALTHY);
  let triggered = 0;
  while ((healthy[0]?.latencies.size ?? 0) < EVENTS) {
    await send('POST', `${upUrl}/builds/trigger`, { ref: `bench-${triggered++}` });
    await delay(PAUSE_MS);
  }
  await delay(5_000);
  const counts = new Set(healthy.map(({ latencies }) => latencies.size));
  const repeats = healthy.reduce((sum, { repeated }) => sum + repeated(), 0);
  const all = healthy.flatMap(({ latencies }) => [...latencies.values()]);
  const ms = (share: number) => `${quantile(all, share).toFixed(0)} ms`;
  console.log(
    `${triggered} builds; each of ${HEALTHY} healthy receivers got ${[...counts].join(' or ')} events, ${repeats} twice`,
  );
  console.log(`from the recording to the receiver: p50 ${ms(0.5)}, p99 ${ms(0.99)}, the longest ${ms(1)}`);
}

/** A receiver, and how long each event took to it, milliseconds by position. */
async function openReceiver(manner: Manner) {
  const latencies = new Map<number, number>();
  let repeats = 0;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { data } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    if (latencies.has(data.id)) repeats += 1;
    else latencies.set(data.id, Date.now() - Date.parse(data.recorded_at));
    manner(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    latencies,
    repeated: () => repeats,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
