/**
 * `npm run bench:keys [-- --seconds N]`: what wrong keys cost an API on a Postgres server, and how much a key that asks beyond its limit
 * slows another. docs/benchmarks.md says how to read it.
 */
import { randomInt } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { NewKey } from '../src/contracts/keys/key.ts';
import { newKeyText } from '../src/domain/keys/key-text.ts';
import { migrateDatabase } from '../src/store/migrate.ts';
import { closedLoop, median, quantile } from './closed-loop.ts';
import { cpuMsOf } from './cpu.ts';
import { openDatabaseServer } from './database-server.ts';
import { API_URL } from './processes.ts';
import { runBenchmark, type Scratch } from './program.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '40' } } });
const SECONDS = Number(values.seconds);
const WRONG = 10_000;
/** What the well-behaved key asks, and the other one beyond its limit of 60 a minute, requests a second. */
const CALM = 100;
/** How long each takes its turn. */
const WINDOW_SECONDS = 2;
const BEYOND = 100;

const agent = new Agent({ keepAlive: true, maxSockets: 16 });

await runBenchmark('bench-keys', main);

async function main({ processes, atEnd }: Scratch): Promise<void> {
  const server = await openDatabaseServer();
  atEnd(() => server.close());
  await migrateDatabase(server.url);
  const settings = { DATABASE_URL: server.url, GITHUB_REPO: 'octocat/fedora-images', GITHUB_TOKEN: 'bench' };
  const secret = 'the-secret-of-this-benchmark';
  // Nothing that is asked here needs Temporal, which need not be there.
  const own = { PORT: '0', TEMPORAL_ADDRESS: '127.0.0.1:1', API_KEYS: `bench=${secret}` };
  const api = processes.role('api', ['api'], { ...settings, ...own });
  const url = await api.said(API_URL);
  const create = async (body: object) => (JSON.parse((await ask(url, '/keys', secret, body)).text) as NewKey).key;
  const calm = await create({ name: 'calm', rights: ['read'] });
  const greedy = await create({ name: 'greedy', rights: ['read'], requests_per_minute: 60 });

  const path = '/builds?limit=1';
  await costOf(api.pid, 2_000, () => ask(url, path, calm));
  const none = await costOf(api.pid, WRONG, () => ask(url, '/health/live', undefined));
  const wrong = await costOf(api.pid, WRONG, () =>
    ask(
      url,
      path,
      newKeyText((below) => randomInt(below)),
    ),
  );
  console.log(
    `${WRONG} wrong keys: ${wrong.toFixed(3)} ms of CPU each, HTTP included (GET /health/live: ${none.toFixed(3)} ms)`,
  );

  // In turns, so that what else the machine does meets both alike.
  const alone: number[] = [];
  const beside: number[] = [];
  const refused: number[] = [];
  /** p99 of each turn: what the rest of the machine does spoils some turns, and the median over turns is spared that. */
  const turns: Array<{ alone: number; beside: number }> = [];
  await pace(CALM, WINDOW_SECONDS, () => ask(url, path, calm));
  for (let turn = 0; turn < SECONDS / WINDOW_SECONDS; turn++) {
    const before = await pace(CALM, WINDOW_SECONDS, () => ask(url, path, calm));
    alone.push(...before);
    const [own, others] = await Promise.all([
      pace(CALM, WINDOW_SECONDS, () => ask(url, path, calm)),
      pace(BEYOND, WINDOW_SECONDS, () => ask(url, path, greedy)),
    ]);
    beside.push(...own);
    turns.push({ alone: quantile(before, 0.99), beside: quantile(own, 0.99) });
    refused.push(...others);
  }
  const told = (times: number[]) =>
    `p50 ${quantile(times, 0.5).toFixed(2)} ms, p99 ${quantile(times, 0.99).toFixed(2)} ms`;
  console.log(`a key at ${CALM} requests a second, ${alone.length} each: ${told(alone)} alone`);
  console.log(`beside one that sends ${BEYOND} a second and may send one: ${told(beside)}; the other ${told(refused)}`);
  console.log(`p99: ${(quantile(beside, 0.99) / quantile(alone, 0.99)).toFixed(2)} times`);
  const [quiet, crowded] = [median(turns.map((turn) => turn.alone)), median(turns.map((turn) => turn.beside))];
  console.log(
    `median of the p99 of ${turns.length} turns: ${quiet.toFixed(2)} ms alone, ${crowded.toFixed(2)} ms beside it, ${(crowded / quiet).toFixed(2)} times`,
  );
  await api.stop();
}

/** Milliseconds of CPU that a process spends on each of so many requests, eight at once. */
async function costOf(pid: number, count: number, send: () => Promise<unknown>): Promise<number> {
  const before = cpuMsOf(pid);
  await closedLoop({ connections: 8, until: { count } }, async () => {
    await send();
  });
  return (cpuMsOf(pid) - before) / count;
}

/** Sends so many requests a second whatever becomes of them. @returns how long each took, milliseconds. */
async function pace(perSecond: number, seconds: number, send: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  const sent: Array<Promise<void>> = [];
  const startedAt = performance.now();
  for (let n = 0; n < perSecond * seconds; n++) {
    const due = startedAt + (n * 1_000) / perSecond;
    await delay(Math.max(0, due - performance.now()));
    sent.push(send().then(() => void times.push(performance.now() - due)));
  }
  await Promise.all(sent);
  return times;
}

function ask(
  url: string,
  path: string,
  key: string | undefined,
  body?: object,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...(key ? { authorization: `Bearer ${key}` } : {}),
      ...(body ? { 'content-type': 'application/json' } : {}),
    };
    const sending = request(url + path, { agent, method: body ? 'POST' : 'GET', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sending.on('error', reject);
    sending.end(body ? JSON.stringify(body) : undefined);
  });
}
