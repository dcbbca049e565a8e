import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { BuildView } from '../src/contracts/builds/build.ts';
import { closedLoop, quantile, type Round, type Until } from './closed-loop.ts';
import { serve } from './helper.ts';
import { TriggerConnection } from './trigger-connection.ts';

export type HttpLoad =
  /** Triggers that are all new (each with a ref of its own), or all the same. */
  | { kind: 'triggers'; url: string; connections: number; until: Until; same?: string; key?: string }
  /** The events of builds 1 to `builds`, any of them. */
  | { kind: 'reads'; url: string; connections: number; until: Until; builds: number }
  /** Each of the queries once. */
  | { kind: 'searches'; url: string; connections: number; queries: string[]; tags: string[] }
  /** So many tasks that do nothing, until all have ended: how many per second, and how long each took to be accepted. */
  | { kind: 'tasks'; url: string; connections: number; count: number }
  /** One such task after the other, each timed from before its request until a GET shows its result. */
  | { kind: 'tasks_in_sequence'; url: string; count: number }
  /** One build after the other, each timed from before its trigger until a GET shows `build_started`. */
  | { kind: 'until_started'; url: string; count: number };

/** Refs never repeat, over all rounds. */
const RUN = `${process.pid}-${Date.now().toString(36)}`;
let refs = 0;

/** Between two looks whether all tasks have ended: rarely, as each costs Hapax two requests. It may count as longer by so much. */
const LOOK_EVERY_MS = 100;

serve<HttpLoad>(async (load) => {
  const connections = 'connections' in load ? load.connections : 1;
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  try {
    switch (load.kind) {
      case 'triggers':
        return await triggers(load);
      case 'reads':
        return await reads(load, agent);
      case 'searches':
        return await searches(load, agent);
      case 'until_started':
        return await untilStarted(load, agent);
      case 'tasks':
        return await tasks(load, agent);
      case 'tasks_in_sequence':
        return await tasksInSequence(load, agent);
    }
  } finally {
    agent.destroy();
  }
});

async function triggers({ url, connections, until, same, key }: HttpLoad & { kind: 'triggers' }) {
  const opened = await Promise.all(
    Array.from({ length: connections }, () => TriggerConnection.to(`${url}/builds/trigger`)),
  );
  const headers = key === undefined ? '' : `Idempotency-Key: ${key}\r\n`;
  try {
    return await closedLoop({ connections, until }, async (_, connection) => {
      idOf(await opened[connection]!.post(bodyOf(same ?? `bench-${RUN}-${refs++}`), headers));
    });
  } finally {
    for (const connection of opened) connection.close();
  }
}

function reads({ url, connections, until, builds }: HttpLoad & { kind: 'reads' }, agent: Agent) {
  return closedLoop({ connections, until }, async () => {
    const id = 1 + Math.floor(Math.random() * builds);
    const { status, text } = await call(agent, 'GET', `${url}/builds/${id}/events`);
    if (status !== 200) throw new Error(`the events of build ${id} were answered with ${status}: ${text}`);
  });
}

function searches({ url, connections, queries, tags }: HttpLoad & { kind: 'searches' }, agent: Agent) {
  return closedLoop({ connections, until: { count: queries.length } }, async (n) => {
    const body = JSON.stringify({ query: queries[n], limit: 10, tags });
    const { status, text } = await call(agent, 'POST', `${url}/api/v1/search`, body);
    if (status !== 200) throw new Error(`a search was answered with ${status}: ${text}`);
    const { method, results } = JSON.parse(text);
    if (method !== 'hybrid' || results.length === 0) throw new Error(`a search was answered with ${text}`);
  });
}

async function untilStarted({ url, count }: HttpLoad & { kind: 'until_started' }, agent: Agent) {
  const latencies: number[] = [];
  for (let n = 0; n < count; n++) {
    const beganAt = performance.now();
    const id = await trigger(agent, url, `bench-${RUN}-${refs++}`);
    while (!(await build(agent, url, id)).events.some((event) => event.event_type === 'build_started'));
    latencies.push(performance.now() - beganAt);
    // What follows is not to overlap with the next.
    while ((await build(agent, url, id)).completed_at === null) await delay(10);
  }
  return { p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99) };
}

async function tasks({ url, connections, count }: HttpLoad & { kind: 'tasks' }, agent: Agent): Promise<Round> {
  const startedAt = performance.now();
  const accepted = await closedLoop({ connections, until: { count } }, async () => void (await createTask(agent, url)));
  for (const status of ['PENDING', 'STARTED']) {
    const some = async () => {
      const { text } = await call(agent, 'GET', `${url}/tasks?status=${status}&limit=1`);
      return JSON.parse(text).tasks.length > 0;
    };
    while (await some()) await delay(LOOK_EVERY_MS);
  }
  return { ...accepted, perSecond: (count / (performance.now() - startedAt)) * 1_000 };
}

function tasksInSequence({ url, count }: HttpLoad & { kind: 'tasks_in_sequence' }, agent: Agent): Promise<Round> {
  return closedLoop({ connections: 1, until: { count } }, async () => {
    const id = await createTask(agent, url);
    while (JSON.parse((await call(agent, 'GET', `${url}/tasks/${id}`)).text).status !== 'SUCCESS');
  });
}

async function createTask(agent: Agent, url: string): Promise<string> {
  const body = JSON.stringify({ name: 'process_content', args: ['no-op', ['embed']] });
  const { status, text } = await call(agent, 'POST', `${url}/tasks`, body);
  if (status !== 202) throw new Error(`a task was answered with ${status}: ${text}`);
  return JSON.parse(text).task_id;
}

async function trigger(agent: Agent, url: string, ref: string): Promise<number> {
  return idOf(await call(agent, 'POST', `${url}/builds/trigger`, bodyOf(ref)));
}

function bodyOf(ref: string): string {
  return JSON.stringify({ ref, image_type: 'fedora-sway-atomic', fedora_version: '43' });
}

/** The id of the build that a trigger made. */
function idOf({ status, text }: { status: number | undefined; text: string }): number {
  if (status !== 202) throw new Error(`a trigger was answered with ${status}: ${text}`);
  return JSON.parse(text).id;
}

async function build(agent: Agent, url: string, id: number): Promise<BuildView> {
  return JSON.parse((await call(agent, 'GET', `${url}/builds/${id}`)).text);
}

function call(
  agent: Agent,
  method: string,
  url: string,
  body?: string,
): Promise<{ status: number | undefined; text: string }> {
  const entity =
    body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, method, headers: entity }, (answer: IncomingMessage) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode, text }));
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
