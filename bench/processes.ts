import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../bin/hapax.js', import.meta.url));
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;

/** What roles write once they are up, with the URL that they serve. */
export const UP_URL = /API {6}(\S+)/;
export const API_URL = /"url":"([^"]+)".*api is up/;
export const SIMULATOR_URL = /simulated GitHub at (\S+)/;

/** A role of Hapax, running as a process of its own. */
export interface Role {
  pid: number;
  /** The first group of the pattern in what it has written, waited for. */
  said(pattern: RegExp): Promise<string>;
  /** Waits until it has done its work. @throws with what it wrote where it failed. */
  ended(): Promise<void>;
  stop(): Promise<void>;
}

/** A process of ours that measures, so that measuring does not share an event loop with what is measured. */
export interface Helper<Question> {
  ask<Answer>(question: Question): Promise<Answer>;
  stop(): Promise<void>;
}

/** All processes of one benchmark. */
export class Processes {
  readonly #directory: string;
  readonly #children: ChildProcess[] = [];

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Starts `hapax ROLE` with these settings and no others. */
  role(name: string, argv: string[], settings: Record<string, string>): Role {
    const logFile = join(this.#directory, `${name}.log`);
    const log = openSync(logFile, 'w');
    const { PATH, HOME, TEMPORAL_CLI, XDG_CACHE_HOME } = process.env;
    const env = { PATH, HOME, TEMPORAL_CLI, XDG_CACHE_HOME, ...settings };
    // Detached: Ctrl-C is passed on by us, in order.
    const child = spawn(process.execPath, [CLI, ...argv], { stdio: ['ignore', log, log], env, detached: true });
    closeSync(log);
    this.#children.push(child);
    return {
      pid: child.pid ?? 0,
      async said(pattern) {
        for (const giveUp = Date.now() + START_TIMEOUT_MS; ; await delay(20)) {
          const written = readFileSync(logFile, 'utf8');
          const found = pattern.exec(written)?.[1];
          if (found !== undefined) return found;
          if (child.exitCode !== null || Date.now() > giveUp) throw new Error(`${name} does not start:\n${written}`);
        }
      },
      async ended() {
        if (child.exitCode === null) await once(child, 'exit');
        if (child.exitCode !== 0) throw new Error(`${name} failed:\n${readFileSync(logFile, 'utf8')}`);
      },
      stop: () => stop(child),
    };
  }

  /** Starts a file of this directory that calls `serve`. */
  helper<Question>(file: string): Helper<Question> {
    const child = fork(fileURLToPath(new URL(file, import.meta.url)), { env: { ...process.env, LOG_LEVEL: 'error' } });
    this.#children.push(child);
    let lastId = 0;
    return {
      ask(question) {
        const id = ++lastId;
        return new Promise((resolve, reject) => {
          const heard = (message: { id: number; answer?: never; error?: string }) => {
            if (message.id !== id) return;
            child.off('message', heard).off('exit', ended);
            if (message.error === undefined) resolve(message.answer as never);
            else reject(new Error(`${file}: ${message.error}`));
          };
          const ended = () => reject(new Error(`${file} ended`));
          child.on('message', heard).once('exit', ended);
          child.send({ id, question });
        });
      },
      stop: () => stop(child),
    };
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.#children.splice(0).toReversed().map(stop));
  }
}

/** Ends a process, by force where it does not end by itself. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  if (child.connected) child.disconnect();
  child.kill('SIGTERM');
  const killing = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(killing);
}
