import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { installWorker, PYTHON } from './celery.ts';
import { eventually } from './eventually.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const APPS = join(ROOT, 'test/celery');
const BIN = dirname(PYTHON);

/** What an app of test/celery is told by its environment. */
export interface AppEnvironment extends Record<string, string> {
  BROKER: string;
  BACKEND: string;
  QUEUE: string;
  /** A file for what hooks and signals see. */
  TRACE: string;
}

/** A worker of a Celery app, as a process of its own. */
export interface PythonWorker {
  process: ChildProcess;
  /** Its standard output and error so far. */
  output(): string;
  exited: Promise<unknown>;
  /** Ends it in order, which lets tasks finish; at once with SIGKILL. @returns its exit status. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

interface Started {
  program: 'celery' | 'hapax-worker';
  app: string;
  environment: AppEnvironment & Record<string, string>;
  /** Default: those of the app `features`. */
  queues?: string[];
  /** Further arguments. */
  options?: string[];
  /** For its log. */
  directory: string;
}

/** Starts `celery worker` or `hapax-worker`, and waits until it is ready. */
export async function startPythonWorker({ program, app, environment, queues, options = [], directory }: Started) {
  installWorker();
  const { QUEUE } = environment;
  const words = [...(program === 'celery' ? ['-A', app, 'worker'] : ['-A', app])];
  const served = queues ?? [QUEUE, `${QUEUE}-routed`];
  const given = ['-Q', served.join(','), '-n', `${QUEUE}@%h`, '--concurrency', '3', '-l', 'info'];
  const child = spawn(join(BIN, program), [...words, ...given, ...options], {
    cwd: directory,
    env: pythonEnvironment(environment),
  });
  const log = join(directory, `${QUEUE}-${child.pid}.log`);
  const file = createWriteStream(log);
  child.stdout.pipe(file);
  child.stderr.pipe(file, { end: false });
  const exited = once(child, 'exit');
  const worker: PythonWorker = {
    process: child,
    exited,
    output: () => readFileSync(log, 'utf8'),
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await exited;
      return child.exitCode;
    },
  };
  await eventually(() => {
    if (!worker.output().includes(' ready.')) throw new Error(`${program} is not ready:\n${worker.output()}`);
  }, 60_000);
  return worker;
}

/** What hapax-worker says of an app that it does not run. */
export function whyNot(app: string, ...options: string[]): string {
  installWorker();
  const { status, stderr } = spawnSync(join(BIN, 'hapax-worker'), ['-A', app, ...options], {
    env: { PATH: process.env.PATH, PYTHONPATH: APPS, PYTHONDONTWRITEBYTECODE: '1' },
    encoding: 'utf8',
  });
  if (status !== 1) throw new Error(`it ended with ${status}`);
  return stderr;
}

/** The processes that do the work of a worker. */
export function childrenOf(pid: number): number[] {
  return processesOf(pid).filter((child) => child !== pollerOf(pid));
}

/** The process that speaks to Temporal. */
export function pollerOf(pid: number): number | undefined {
  return processesOf(pid).find((child) =>
    readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('hapax_worker.poller'),
  );
}

function processesOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
}

/** Runs a program of test/celery to its end. @returns the JSON that it printed. */
// biome-ignore lint/suspicious/noExplicitAny: whatever Python prints.
export async function runPython(program: string, given: unknown, environment: AppEnvironment): Promise<any> {
  installWorker();
  const { stdout } = await promisify(execFile)(PYTHON, [join(APPS, program), JSON.stringify(given)], {
    env: pythonEnvironment(environment),
    maxBuffer: 1 << 26,
    timeout: 450_000,
  });
  return JSON.parse(stdout.trim().split('\n').at(-1)!);
}

function pythonEnvironment(environment: AppEnvironment): NodeJS.ProcessEnv {
  return {
    ...{
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      LC_ALL: 'C.UTF-8',
      PYTHONPATH: APPS,
      PYTHONDONTWRITEBYTECODE: '1',
    },
    ...environment,
  };
}
