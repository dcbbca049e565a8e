import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { assertPortFree, freePort, portNotForBrowsers } from './ports.ts';
import { commandLine, isAlive, stopProcess } from './processes.ts';
import { guardTemporalUi } from './temporal-ui-guard.ts';

/** Options of {@link startTemporalServer}. */
export interface TemporalServerOptions {
  /** Path of the `temporal` executable: see `findTemporalCli`. */
  readonly cli: string;
  /** Keeps temporal.db, temporal.log (of the last start only) and temporal.pid. Nobody else may use it. */
  readonly directory: string;
  /** Made if missing. Default `default`. */
  readonly namespace?: string;
  /** Port of gRPC on 127.0.0.1; any that is free by default. */
  readonly port?: number;
  /** Port of the Web UI; any that is free by default, none for null. */
  readonly uiPort?: number | null;
  /** Names besides those of loopback under which browsers may address the Web UI. */
  readonly trustedHosts?: readonly string[];
  /** Name to type (Keyword, Int, Datetime, ...), registered at start; those already there stay. */
  readonly searchAttributes?: Readonly<Record<string, string>>;
  /** Hears of a server of an earlier run that had to be ended first. */
  readonly report?: (line: string) => void;
  /** How long a start may take. Default 60 s: an old laptop, a cold disk. */
  readonly startTimeoutMs?: number;
}

/** How a server ended. */
export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of its log. */
  readonly lastLines: string;
}

/** A running server. */
export interface TemporalServer {
  /** host:port of gRPC. */
  readonly address: string;
  /** Undefined without Web UI. */
  readonly uiUrl: string | undefined;
  /** Resolves when the server has ended, asked to or not. */
  readonly exited: Promise<ServerExit>;
  /** Ends it in order. May be called again. */
  close(): Promise<void>;
}

const SETTINGS = {
  // The one history shard of the dev server polls each of its queues at most 20 times a second, and each hop of a
  // workflow waits for that: one with one activity took 100 ms, and takes 36 ms.
  'history.transferProcessorMaxPollRPS': 2000,
  'history.timerProcessorMaxPollRPS': 2000,
  'history.visibilityProcessorMaxPollRPS': 2000,
  'history.outboundProcessorMaxPollRPS': 2000,
  // By default a timer fires up to a second late (10 ms took 1040 ms; now 65 ms). Idle load stays the same.
  'history.timerProcessorMaxTimeShift': '"10ms"',
  // By default a task queue is four, each with an order of its own: what has a low priority in one overtakes a high one in another.
  'matching.numTaskqueueReadPartitions': 1,
  'matching.numTaskqueueWritePartitions': 1,
};

/**
 * Starts the server, and ends it when its standard input ends: that is when this process is gone, even by kill -9.
 * File descriptor 3 keeps that input, as sh gives /dev/null to what runs in the background.
 */
const GUARD = `
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
echo $server >"$PID_FILE"
( read -r _ <&3; kill $server; sleep 8; kill -9 $server ) >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait $server
code=$?
kill $watcher
rm -f "$PID_FILE"
exit $code
`;

/** The few ports that browsers do not connect to may be taken by another server at the same moment. */
const ATTEMPTS = 5;

/**
 * Starts Temporal's development server with its data in a file, and waits until the namespace can be used. The server itself
 * does what any web page asks that the user opens. So its HTTP API answers to a name that is known here alone, its metrics and Web UI
 * are on ports that browsers do not connect to, and the Web UI is served by a guard.
 */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(options);
    } catch (error) {
      if (attempt === ATTEMPTS || !/address already in use/.test((error as Error).message)) throw error;
    }
  }
}

async function startOnce(options: TemporalServerOptions): Promise<TemporalServer> {
  const { cli, directory, namespace = 'default', report = () => undefined } = options;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const database = join(directory, 'temporal.db');
  const pidFile = join(directory, 'temporal.pid');
  const logFile = join(directory, 'temporal.log');
  await endLeftover(pidFile, database, report);

  const port = options.port ?? (await freePort());
  if (options.port) await assertPortFree('127.0.0.1', options.port, 'TEMPORAL_PORT');
  if (options.uiPort) await assertPortFree('127.0.0.1', options.uiPort, 'TEMPORAL_UI_PORT');
  const ui = options.uiPort === null ? undefined : await placeForUi();
  const http = { port: await freePort(), name: `${randomUUID()}.invalid` };
  const metricsPort = (await portNotForBrowsers('127.0.0.1')) ?? (await freePort());
  const each = (flag: string, pairs: Readonly<Record<string, unknown>>): string[] =>
    Object.entries(pairs).flatMap(([name, value]) => [flag, `${name}=${value}`]);
  const args = [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', `${port}`, '--namespace', namespace],
    ...(ui ? ['--ui-ip', ui.host, '--ui-port', `${ui.port}`] : ['--headless']),
    ...['--http-port', `${http.port}`, '--metrics-port', `${metricsPort}`],
    ...['--db-filename', database, '--log-level', 'warn'],
    // The rollback journal of the default makes a workflow three to four times slower.
    ...each('--sqlite-pragma', { journal_mode: 'wal', synchronous: 'normal' }),
    ...each('--dynamic-config-value', { ...SETTINGS, 'frontend.httpAllowedHosts': JSON.stringify([http.name]) }),
    ...each('--search-attribute', options.searchAttributes ?? {}),
  ];

  const log = openSync(logFile, 'w', 0o600);
  // In a process group of its own: Ctrl-C in the terminal must not end it before the workers have drained.
  const guard = spawn('/bin/sh', ['-c', GUARD, 'hapax-temporal', cli, ...args], {
    detached: true,
    stdio: ['pipe', log, log],
    env: { ...process.env, PID_FILE: pidFile, TEMPORAL_VERSION_CHECK_DISABLED: '1' },
  });
  closeSync(log);
  guard.stdin?.on('error', () => undefined);
  const exited = exitOf(guard, logFile);

  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      guard.stdin?.end();
      await exited;
    })();
    return closing;
  };
  const address = `127.0.0.1:${port}`;
  try {
    const query = Object.keys(options.searchAttributes ?? {})
      .map((name) => `${name} IS NULL`)
      .join(' AND ');
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/workflow-count?query=${encodeURIComponent(query)}`;
    await untilReady({ ...http, path }, exited, options.startTimeoutMs ?? 60_000);
  } catch (error) {
    await close();
    // Taken since it was looked at, which the server tells by a stack of its own.
    if (options.port) await assertPortFree('127.0.0.1', options.port, 'TEMPORAL_PORT');
    throw error;
  }
  if (!ui) return { address, uiUrl: undefined, exited, close };
  const guarding = guardTemporalUi({ port: options.uiPort ?? 0, upstream: ui, trusted: options.trustedHosts ?? [] });
  const guarded = await guarding.catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const ended = exited.then(async (exit) => {
    await guarded.close();
    return exit;
  });
  return {
    address,
    uiUrl: guarded.url,
    exited: ended,
    async close() {
      await Promise.all([close(), ended]);
    },
  };
}

/** On Linux every address of 127.0.0.0/8 is this machine, so that servers need not share the few ports. */
async function placeForUi(): Promise<{ host: string; port: number }> {
  const part = (): number => randomInt(1, 255);
  const host = process.platform === 'linux' ? `127.${part()}.${part()}.${part()}` : '127.0.0.1';
  return { host, port: (await portNotForBrowsers(host)) ?? (await freePort()) };
}

function exitOf(guard: ChildProcess, logFile: string): Promise<ServerExit> {
  return new Promise((resolve) => {
    const ended = (code: number | null, signal: NodeJS.Signals | null): void => {
      // The guard may have been killed before the server.
      if (guard.pid !== undefined) {
        try {
          process.kill(-guard.pid, 'SIGKILL');
        } catch {
          // The group is gone, as it should be.
        }
      }
      resolve({ code, signal, lastLines: lastLines(logFile) });
    };
    guard.once('exit', ended);
    guard.once('error', () => ended(127, null));
  });
}

function lastLines(file: string): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-10).join('\n');
  } catch {
    return ''; // the directory was removed while the server ran
  }
}

/** A server whose guard was killed together with the process before this one still holds the database file. */
async function endLeftover(pidFile: string, database: string, report: (line: string) => void): Promise<void> {
  let pid: number;
  try {
    pid = Number(readFileSync(pidFile, 'utf8'));
  } catch {
    return;
  }
  // The number may belong to another program by now.
  if (pid > 1 && isAlive(pid) && (await commandLine(pid)).includes(database)) {
    report(`stopping the Temporal server of an earlier run (pid ${pid})`);
    await stopProcess(pid, 10_000);
  }
  rmSync(pidFile, { force: true });
}

/**
 * The server answers before it knows the search attributes that it was started with; a query by them fails until then. It is
 * ours once it answers over HTTP to the name that it alone was given: on the usual port it may be one that was started at the
 * same time, and ours is about to end for want of it.
 */
async function untilReady(query: Query, exited: Promise<ServerExit>, timeoutMs: number): Promise<void> {
  let exit: ServerExit | undefined;
  void exited.then((value) => {
    exit = value;
  });
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const status = await statusOf(query).catch((error: Error) => error);
    if (status === 200) return;
    if (exit) throw new Error(`the Temporal server ended while starting (code ${exit.code}):\n${exit.lastLines}`);
    if (Date.now() > deadline) throw new Error(`the Temporal server does not answer: ${status}`);
    await delay(25);
  }
}

interface Query {
  port: number;
  /** The name of the server, as it expects it in a request. */
  name: string;
  path: string;
}

function statusOf({ port, name, path }: Query): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path, headers: { host: name }, timeout: 2_000 }, (response) =>
      resolve(response.resume().statusCode),
    );
    request.once('timeout', () => request.destroy(new Error('no response over HTTP')));
    request.once('error', reject);
  });
}
