import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { assertPortFree, freePort, portNotForBrowsers, preferPort } from './ports.ts';
import { commandLine, isAlive, stopProcess } from './processes.ts';
import { guardTemporalUi } from './temporal-ui-guard.ts';
import { UserError } from './user-error.ts';

/** Options of {@link startTemporalServer}. */
export interface TemporalServerOptions {
  /** Path of the `temporal` executable: see `findTemporalCli`. */
  readonly cli: string;
  /** Holds temporal.db, temporal.log (of the last start; temporal.log.1 is of the one before) and temporal.pid. No other process may use it. */
  readonly directory: string;
  /** Created if missing. Default `default`. */
  readonly namespace?: string;
  /** Port of gRPC on 127.0.0.1, which must be free; a preferred or any other free one by default. */
  readonly port?: number | undefined;
  /** Port of the Web UI, likewise; none for null. */
  readonly uiPort?: number | null | undefined;
  /** Ports to use if they are free. */
  readonly preferred?: { readonly port: number; readonly uiPort: number };
  /** Names besides those of loopback by which browsers may address the Web UI. */
  readonly trustedHosts?: readonly string[];
  /** Search attributes by name, with their types (Keyword, Int, Datetime, ...). Registered at the start; existing ones stay. */
  readonly searchAttributes?: Readonly<Record<string, string>>;
  /** Gets a line if a server of an earlier run had to be ended first. */
  readonly report?: (line: string) => void;
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
  /** Undefined without a Web UI. */
  readonly uiUrl: string | undefined;
  /** Resolves when the server has ended, for any reason. */
  readonly exited: Promise<ServerExit>;
  /** Ends the server in an orderly way. May be called again. */
  close(): Promise<void>;
}

const SETTINGS = {
  // The one history shard of the dev server polls each of its queues at most 20 times a second, and each hop of a workflow
  // waits for that. A workflow with one activity took 100 ms, and now takes 36 ms.
  'history.transferProcessorMaxPollRPS': 2000,
  'history.timerProcessorMaxPollRPS': 2000,
  'history.visibilityProcessorMaxPollRPS': 2000,
  'history.outboundProcessorMaxPollRPS': 2000,
  // By default a timer fires up to a second late (10 ms took 1040 ms; now 65 ms). Idle load stays the same.
  'history.timerProcessorMaxTimeShift': '"10ms"',
  // A workflow is deleted once the server has noted that it closed. By default it notes that every 30 s, so an erasure took a minute and more.
  'history.transferProcessorUpdateAckInterval': '"2s"',
  // By default a task queue has four partitions, each with its own order: a low priority in one overtakes a high one in another.
  'matching.numTaskqueueReadPartitions': 1,
  'matching.numTaskqueueWritePartitions': 1,
};

/**
 * Starts the server, and ends it when standard input ends: when this process is gone, even by kill -9. File descriptor 3
 * keeps that input, since sh gives /dev/null to background commands.
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

/** How often to try to start: another server may take one of the few ports that browsers do not connect to at the same moment. */
const ATTEMPTS = 5;
/** How long a start may take: an old laptop has a cold disk. */
const START_TIMEOUT_MS = 60_000;

/**
 * Starts Temporal's development server with its data in a file, and waits until the namespace can be used. By itself, the
 * server obeys any web page that the user opens. So its HTTP API responds only to a name that is known here alone, its
 * metrics and Web UI are on ports that browsers do not connect to, and a guard serves the Web UI.
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

/** What the path of the directory may not have: the server makes a URI of the path as it is, and opens that. */
const NOT_IN_URI = /[#?]|%[\da-f]{2}/i;

/** @throws {UserError} if the server would keep its data elsewhere. */
export function assertHoldsTemporal(directory: string): void {
  const [sign] = NOT_IN_URI.exec(directory) ?? [];
  if (sign === undefined) return;
  throw new UserError(
    `Temporal's server cannot keep its data in ${directory}: set HAPAX_HOME to a path without ${sign}`,
  );
}

async function startOnce(options: TemporalServerOptions): Promise<TemporalServer> {
  const { cli, directory, namespace = 'default', report = () => undefined } = options;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const database = join(directory, 'temporal.db');
  const pidFile = join(directory, 'temporal.pid');
  const logFile = join(directory, 'temporal.log');
  await endLeftover(pidFile, database, report);

  const port = options.port ?? (await preferPort(options.preferred?.port ?? 0));
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
    // With the default rollback journal, a workflow takes three to four times longer.
    ...each('--sqlite-pragma', { journal_mode: 'wal', synchronous: 'normal' }),
    ...each('--dynamic-config-value', { ...SETTINGS, 'frontend.httpAllowedHosts': JSON.stringify([http.name]) }),
    ...each('--search-attribute', options.searchAttributes ?? {}),
  ];

  // If the server crashed, the log says why.
  if (existsSync(logFile)) renameSync(logFile, `${logFile}.1`);
  const log = openSync(logFile, 'w', 0o600);
  // In its own process group: Ctrl-C in the terminal must not end it before the workers have drained.
  const guard = spawn('/bin/sh', ['-c', GUARD, 'hapax-temporal', cli, ...args], {
    detached: true,
    stdio: ['pipe', log, log],
    env: { ...withoutTraces(process.env), PID_FILE: pidFile, TEMPORAL_VERSION_CHECK_DISABLED: '1' },
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
    await untilReady({ ...http, path }, exited, START_TIMEOUT_MS);
  } catch (error) {
    await close();
    // If another program took the port meanwhile, the server only prints a stack trace.
    if (options.port) await assertPortFree('127.0.0.1', options.port, 'TEMPORAL_PORT');
    throw error;
  }
  if (!ui) return { address, uiUrl: undefined, exited, close };
  const uiPort = options.uiPort ?? (await preferPort(options.preferred?.uiPort ?? 0));
  const guarding = guardTemporalUi({ port: uiPort, upstream: ui, trusted: options.trustedHosts ?? [] });
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

/** Returns an address for the Web UI. On Linux every address of 127.0.0.0/8 is this machine, so servers need not share the few ports. */
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

/**
 * Removes OpenTelemetry's variables, which are for our traces. With them the server would send traces too, and it does not
 * start with an exporter that it lacks.
 */
function withoutTraces(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('OTEL_')));
}

/** Returns the end of the log. If the server panicked, this begins with the reason, which a long stack trace follows. */
function lastLines(file: string): string {
  try {
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    const panic = lines.findLastIndex((line) => /^(panic|fatal error):/.test(line));
    return (panic < 0 ? lines.slice(-10) : lines.slice(panic, panic + 10)).join('\n');
  } catch {
    return ''; // the directory was removed while the server ran
  }
}

/** Ends a server whose guard was killed together with the previous process: it still holds the database file. */
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
 * Waits until the server can be used. It responds before it knows the search attributes that it was started with; until
 * then, a query by them fails. It is ours once it responds over HTTP to the name that only ours has. Another server may
 * have been started on the usual port at the same time; ours is then about to end because the port is taken.
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
  /** The name that the server expects in a request. */
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
