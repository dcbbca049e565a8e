import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { onTestFinished } from 'vitest';
import type { DialectKind } from '../../src/simulator/dialects/kind.ts';
import { remote } from '../simulator/harness.ts';
import { eventually } from '../world/eventually.ts';
import { steadyPort } from '../world/steady-port.ts';
import { callers } from '../world/world.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A program in a process group of its own, as a terminal starts it; gone with the test that started it. */
export class Program {
  readonly #child: ChildProcess;
  readonly #log: string;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

  constructor(command: string, args: string[], environment: Record<string, string>, log: string, cwd = ROOT) {
    this.#log = log;
    const output = openSync(log, 'a');
    const inherited = Object.fromEntries(
      Object.entries(process.env).filter(
        ([name]) => !/^(GITHUB_|FORGE_|TEMPORAL_|DATABASE_URL|HAPAX_|OTEL_|VITEST|NODE_OPTIONS|npm_)/.test(name),
      ),
    );
    this.#child = spawn(command, args, {
      cwd,
      detached: true,
      stdio: ['ignore', output, output],
      env: { ...inherited, HAPAX_ENV_FILE: '', ...environment },
    });
    closeSync(output);
    this.ended = once(this.#child, 'exit').then(([code, signal]) => ({ code, signal }));
  }

  get output(): string {
    return readFileSync(this.#log, 'utf8');
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Signals the whole group, as Ctrl-C in a terminal does. */
  signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.#child.pid!, signal);
    } catch {
      // It is gone already.
    }
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }
}

/** A directory of the test's own. */
export async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'hapax-e2e-'));
  onTestFinished(() => rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));
  return path;
}

/** A simulated forge as a process that outlives what is killed. */
export async function startGitHub(home: string, dialect: DialectKind = 'github') {
  const port = await steadyPort();
  const log = join(home, `${dialect}.log`);
  const args = [
    'bin/hapax.js',
    'simulate-github',
    '--dialect',
    dialect,
    '--port',
    `${port}`,
    '--data',
    join(home, `${dialect}.ndjson`),
    '--queued',
    '100',
    '--running',
    '300',
  ];
  const start = () => new Program(process.execPath, args, {}, log);
  let program = start();
  onTestFinished(() => program.kill());
  const url = `http://127.0.0.1:${port}`;
  const ready = () => eventually(async () => (await fetch(`${url}/_simulator/settings`)).text());
  await ready();
  const hands = remote({ url });
  await hands.set({ rate_limit: 1_000_000 });
  return {
    url,
    ...hands,
    stop: () => program.kill(),
    async start() {
      program = start();
      await ready();
      // A connection kept from before the stop is dropped only when it is used.
      await eventually(() => hands.set({ rate_limit: 1_000_000 }));
    },
  };
}

/** `npm start`, against a GitHub, with a home of its own; it can be killed and started again. */
export async function installation(github: { url: string }, settings: Record<string, string> = {}) {
  const home = await directory();
  const port = await steadyPort();
  const environment = {
    HAPAX_HOME: join(home, 'hapax'),
    PORT: `${port}`,
    // Of two tests that start at the same time both may find the usual ones free.
    TEMPORAL_PORT: `${await steadyPort()}`,
    TEMPORAL_UI_PORT: '0',
    GITHUB_TOKEN: 'test-token-of-the-installation',
    GITHUB_REPO: 'acme/images',
    GITHUB_API_URL: github.url,
    GITHUB_POLL_INTERVAL: '200ms',
    GITHUB_REQUEST_TIMEOUT: '2s',
    GITHUB_WRITE_INTERVAL: '0',
    RECONCILE_WINDOW: '1s',
    // A dispatch that a kill or an outage kept from being sent is sent again after this time. By default: after a minute, then after two.
    QUEUE_RETRY_DELAY: '1s',
    DEDUP_WINDOW: '10m',
    ...settings,
  };
  const log = join(home, 'npm-start.log');
  const api = callers(`http://127.0.0.1:${port}`);
  let program: Program | undefined;
  const it = {
    ...api,
    port,
    environment,
    get output() {
      return readFileSync(log, 'utf8');
    },
    start() {
      program = new Program('npm', ['start'], environment, log);
    },
    async ready() {
      await eventually(async () => {
        if (!program?.running) throw new Error(`npm start ended: ${it.output.slice(-2_000)}`);
        if ((await api.call('GET', '/health/ready')).status !== 200) throw new Error('not ready');
      }, 120_000);
    },
    /** The process id of the Temporal server, which is a group of its own. */
    temporalPid: () => Number(readFileSync(join(environment.HAPAX_HOME, 'temporal/temporal.pid'), 'utf8')),
    /** kill -9 of everything at once, Temporal too. */
    async killAll() {
      let temporal: number | undefined;
      try {
        temporal = it.temporalPid();
      } catch {
        // Not started yet.
      }
      const killed = program?.kill();
      if (temporal !== undefined) kill(temporal);
      await killed;
    },
    signal: (signal: NodeJS.Signals) => program?.signal(signal),
    ended: () => program!.ended,
    /** The build at its end; names differ because `ended` is the program's. */
    async buildEnded(id: number) {
      try {
        return await api.ended(id);
      } catch (error) {
        const [first] = (await api.build(id)).events;
        const workflowId = String(first?.event_data?.workflow_id);
        throw new Error(`${(error as Error).message}\n${await inTemporal(environment.TEMPORAL_PORT, workflowId)}`);
      }
    },
    /** Sends a trigger until it is accepted, as a client does that must not lose it. */
    accepted: (body: object) =>
      eventually(async () => {
        const answer = await api.trigger(body);
        if (answer.status !== 202) throw new Error(`${answer.status} ${answer.text}`);
        return answer.json.id as number;
      }, 180_000),
  };
  onTestFinished(() => it.killAll());
  return it;
}

/** How far Temporal is with a workflow that stands still: its last events, and what is under way. */
async function inTemporal(port: string, workflowId: string): Promise<string> {
  const connection = await Connection.connect({ address: `127.0.0.1:${port}` });
  const handle = new Client({ connection }).workflow.getHandle(workflowId);
  const [{ raw }, { events }] = await Promise.all([handle.describe(), handle.fetchHistory()]);
  await connection.close();
  const { pendingActivities, pendingWorkflowTask } = raw;
  return JSON.stringify({ pendingActivities, pendingWorkflowTask, events: events?.slice(-6) });
}

export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}
