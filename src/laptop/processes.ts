import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

/** Says whether a process with this id runs. One that has ended and waits for its parent counts as running. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Returns the command line of a process, with spaces between arguments; '' if there is none. */
export async function commandLine(pid: number): Promise<string> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim();
  } catch {
    // macOS has no /proc.
  }
  try {
    return (await promisify(execFile)('ps', ['-ww', '-o', 'args=', '-p', `${pid}`])).stdout.trim();
  } catch {
    return '';
  }
}

/** Asks a process to end, and kills it if it has not ended after `graceMs`. */
export async function stopProcess(pid: number, graceMs: number): Promise<void> {
  const startedAt = Date.now();
  for (let signal: NodeJS.Signals | 0 = 'SIGTERM'; await stillRuns(pid); await delay(25)) {
    const elapsedMs = Date.now() - startedAt;
    if (elapsedMs > graceMs + 5000) throw new Error(`process ${pid} does not end`);
    if (elapsedMs > graceMs) signal = 'SIGKILL';
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    if (signal === 'SIGTERM') signal = 0;
  }
}

/** Says whether a process still runs, not counting zombies: a zombie holds no files and no ports. */
async function stillRuns(pid: number): Promise<boolean> {
  return isAlive(pid) && (await commandLine(pid)) !== '';
}
