import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

/** A process of a test; what is left of it ends with the test. */
export interface Child {
  readonly process: ChildProcess;
  /** The first line it printed. */
  readonly firstLine: string;
  /** kill -9, and wait for the end. */
  kill(): Promise<void>;
}

/** Starts a file of `programs/` and waits for its first line. */
export async function startProgram(name: string, ...args: string[]): Promise<Child> {
  const file = join(import.meta.dirname, 'programs', name);
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  onTestFinished(kill);
  const [firstLine] = await Promise.race([
    once(createInterface(child.stdout), 'line'),
    exited.then(([code]) => Promise.reject(new Error(`${name} ended with ${code}`))),
  ]);
  return { process: child, firstLine, kill };
}
