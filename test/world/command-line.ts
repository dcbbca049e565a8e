import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export const ENTRY = fileURLToPath(new URL('../../bin/hapax.js', import.meta.url));

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what came, whatever its form.
  json: any;
}

/** A person at a machine: a home of their own, in which `hapax` keeps what it keeps. */
export function person(environment: Record<string, string> = {}) {
  const home = mkdtempSync(join(tmpdir(), 'hapax-person-'));
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: home,
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_STATE_HOME: join(home, 'state'),
    HAPAX_HOME: join(home, 'hapax'),
    HAPAX_ENV_FILE: '',
    TZ: 'UTC',
    TERM: 'xterm-256color',
    ...environment,
  };
  /** The command as it runs. */
  const start = (args: string[], more: Record<string, string> = {}): ChildProcess =>
    spawn(process.execPath, [ENTRY, ...args], { env: { ...env, ...more }, stdio: ['pipe', 'pipe', 'pipe'] });
  return {
    home,
    env,
    start,
    /** The command until it ended; what it reads on standard input is `input`. */
    async hapax(args: string[], more: Record<string, string> = {}, input = ''): Promise<Outcome> {
      const child = start(args, more);
      child.stdin?.on('error', () => {}).end(input);
      const [stdout, stderr, [code]] = await Promise.all([
        text(child.stdout!),
        text(child.stderr!),
        once(child, 'exit') as Promise<[number | null]>,
      ]);
      return {
        code,
        stdout,
        stderr,
        json: args.includes('--json') && code !== 2 && stdout ? jsonOf(stdout) : undefined,
      };
    },
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}
export type Person = ReturnType<typeof person>;

/** One document, or the documents of as many lines. */
function jsonOf(stdout: string) {
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  return lines.length === 1 ? lines[0] : lines;
}
