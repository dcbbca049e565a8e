import { setTimeout as delay } from 'node:timers/promises';
import { type Settings, usesRealGitHub } from '../contracts/settings.ts';
import { environmentConfiguration } from '../domain/builds/configuration.ts';
import type { GitHub } from '../integrations/github/github.ts';
import { GitHubError } from '../integrations/github/github-error.ts';
import { repositoryOf } from './github.ts';

/** Looks at GitHub in the background. */
export interface GitHubWatch {
  /** Returns where builds can be dispatched, as far as is known; throws what is in the way and what to change. */
  check(): Promise<void>;
  stop(): Promise<void>;
}

export interface GitHubWatchOptions {
  settings: Settings;
  github: GitHub;
  /** Told one line for each fault of the settings, when it appears; `mended` once there are none left. */
  say(line: string, level: 'error' | 'warn' | 'info'): void;
  /** Pauses between looks, milliseconds. Default {@link PAUSES}. */
  pauses?: typeof PAUSES;
}

/** A look at the settings costs two requests, also of each API replica; a faulty one is what somebody mends right now. */
const PAUSES = { pingMs: 60_000, awayMs: 2_000, settingsMs: 300_000, faultyMs: 20_000 };

/**
 * Watches whether GitHub is there and takes the credential, the repository and the workflow of configuration 1, from the start on.
 * It never keeps a build from being tried: only the answer to a dispatch says whether GitHub takes it.
 */
export function watchGitHub({ settings, github, say, pauses = PAUSES }: GitHubWatchOptions): GitHubWatch {
  const stopping = new AbortController();
  const readsSettings = usesRealGitHub(settings) && settings.GITHUB_REPO !== undefined;
  const told = new Set<string>();
  let away: Error | undefined;
  let faults: string[] = [];
  let settingsDueAt = 0;

  async function look(): Promise<void> {
    if (readsSettings && performance.now() >= settingsDueAt) return readSettings();
    try {
      await github.ping();
    } catch (error) {
      if (readsSettings && isAnswered(error)) return readSettings();
      throw error;
    }
  }
  async function readSettings(): Promise<void> {
    const { repository, workflow } = environmentConfiguration(repositoryOf(settings), settings.GITHUB_WORKFLOW);
    const found = await github.settingFaults(repository, workflow);
    settingsDueAt = performance.now() + (found.faults.length > 0 ? pauses.faultyMs : pauses.settingsMs);
    faults = found.faults;
    for (const hint of found.hints) tell(hint, 'warn');
    for (const fault of found.faults) tell(fault, 'error');
    if (found.faults.length === 0 && told.size > found.hints.length) {
      told.clear();
      for (const hint of found.hints) told.add(hint);
      say('GitHub now accepts the credential, GITHUB_REPO and GITHUB_WORKFLOW', 'info');
    }
  }
  function tell(line: string, level: 'error' | 'warn'): void {
    if (!told.has(line)) say(line, level);
    told.add(line);
  }
  async function lookOnce(): Promise<void> {
    away = await look().then(
      () => undefined,
      (error: Error) => error,
    );
  }
  const first = lookOnce();
  const watching = (async () => {
    await first;
    while (!stopping.signal.aborted) {
      const pauseMs =
        away && !isAnswered(away) ? pauses.awayMs : away || faults.length > 0 ? pauses.faultyMs : pauses.pingMs;
      await delay(pauseMs, undefined, { signal: stopping.signal, ref: false }).catch(() => {});
      if (!stopping.signal.aborted) await lookOnce();
    }
  })();

  return {
    async check() {
      await first;
      // A refused credential is refused a ping as well; what the settings are to be says more.
      const reasons = [...new Set([...faults, ...github.troubles])];
      if (reasons.length > 0) throw new Error(reasons.join('; '));
      if (away) throw away;
    },
    async stop() {
      stopping.abort();
      await watching;
    },
  };
}

/** Whether GitHub is there, and refuses what it was asked: asking more often would not help. */
function isAnswered(error: unknown): boolean {
  return error instanceof GitHubError && error.status !== undefined && error.status < 500;
}

/** Where lines go that a person is to read: the log of a process. */
export function toLog(log: Record<'error' | 'warn' | 'info', (line: string) => void>): GitHubWatchOptions['say'] {
  return (line, level) => log[level](line);
}
