import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A server as a process of the test run's own; it can be killed and started again. */
export interface ServerProcess {
  readonly pid: number;
  readonly running: boolean;
  stop(signal: NodeJS.Signals): Promise<void>;
}

/** Starts a server, its output thrown away. It stands in no process group of its own: a Ctrl-C in the terminal ends it too. */
export function serverProcess(command: string, args: string[], environment: Record<string, string>): ServerProcess {
  const child: ChildProcess = spawn(command, args, {
    cwd: environment.HOME,
    env: { PATH: process.env.PATH ?? '', LC_ALL: 'C.UTF-8', ...environment },
    stdio: 'ignore',
  });
  const exited = once(child, 'exit');
  // A program that is not there fails here; who waits for its answer says so.
  exited.catch(() => {});
  return {
    pid: child.pid ?? 0,
    get running() {
      return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
    },
    async stop(signal) {
      if (!this.running) return;
      child.kill(signal);
      await exited;
    },
  };
}

/** The first of these programs that is installed; Debian keeps some outside PATH. */
export function installed(...names: string[]): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/lib/rabbitmq/bin'];
  return names
    .flatMap((name) => (name.startsWith('/') ? [name] : folders.map((folder) => join(folder, name))))
    .find(existsSync);
}
