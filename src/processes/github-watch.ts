import { repeat } from '../commands/lifecycle/repeat.ts';
import { type Settings, usesRealGitHub } from '../contracts/settings.ts';
import { environmentConfiguration } from '../domain/builds/configuration.ts';
import type { Forge } from '../integrations/forges/forge.ts';
import { ForgeError } from '../integrations/forges/forge-error.ts';
import type { Forges } from '../integrations/forges/forges.ts';
import { repositoryOf } from './github.ts';

/** A check of GitHub in the background. */
export interface GitHubWatch {
  /** Resolves if builds can be dispatched, as far as is known. @throws what prevents that, and what to change. */
  check(): Promise<void>;
  stop(): Promise<void>;
}

export interface GitHubWatchOptions {
  settings: Settings;
  github: Forge;
  /** The forges of named credentials. They are checked once at the start, and again while one is refused. */
  forges?: Forges;
  /** Gets one line for each fault of the settings, when it appears, and one when none are left. */
  say(line: string, level: 'error' | 'warn' | 'info'): void;
  /** Pauses between checks, in milliseconds. Default {@link PAUSES}. */
  pauses?: typeof PAUSES;
}

/**
 * A check of the settings costs two requests, for each API replica. Faulty settings are checked more often: somebody may be
 * correcting them right now.
 */
const PAUSES = { pingMs: 60_000, awayMs: 2_000, settingsMs: 300_000, faultyMs: 20_000 };

/**
 * Watches from the start whether GitHub is reachable and accepts the credential, the repository and the workflow of
 * configuration 1. It never prevents a build from being tried: only the response to a dispatch says whether GitHub accepts it.
 */
export function watchGitHub({ settings, github, forges, say, pauses = PAUSES }: GitHubWatchOptions): GitHubWatch {
  const readsSettings = usesRealGitHub(settings) && settings.GITHUB_REPO !== undefined;
  const told = new Set<string>();
  let away: Error | undefined;
  let faults: string[] = [];
  let settingsDueAt = 0;

  /** An installation that builds only on other forges may not reach GitHub at all. */
  const hasGitHub =
    usesRealGitHub(settings) || settings.DEPLOYMENT_MODE === 'laptop' || settings.FORGE_CREDENTIALS.size === 0;

  async function look(): Promise<void> {
    if (!hasGitHub) return;
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
  /** Named credentials that are still to be checked: all of them at first, then only those that were refused. */
  const unchecked = new Set(settings.FORGE_CREDENTIALS.keys());
  const toldOfForges = new Set<string>();
  let forgesAway: string[] = [];
  async function lookAtForges(): Promise<void> {
    const looks = [...unchecked].map(async (name) => {
      try {
        await forges?.check(name);
        if (!refused().some((line) => line.startsWith(`FORGE_CREDENTIALS ${name}:`))) unchecked.delete(name);
        return [];
      } catch (error) {
        return [`FORGE_CREDENTIALS ${name}: ${(error as Error).message}`];
      }
    });
    forgesAway = (await Promise.all(looks)).flat();
    for (const line of refused().filter((one) => !toldOfForges.has(one))) {
      toldOfForges.add(line);
      say(line, 'error');
    }
  }
  const refused = () => forges?.troubles ?? [];
  async function lookAtAll(): Promise<number> {
    await Promise.all([lookOnce(), lookAtForges()]);
    if (away && !isAnswered(away)) return pauses.awayMs;
    return away || faults.length > 0 || unchecked.size > 0 ? pauses.faultyMs : pauses.pingMs;
  }
  const first = lookAtAll();
  const watching = repeat(lookAtAll, first);

  return {
    async check() {
      await first;
      // A refused credential fails a ping, too. The faults of the settings say more.
      const reasons = [...new Set([...faults, ...github.troubles, ...refused(), ...forgesAway])];
      if (reasons.length > 0) throw new Error(reasons.join('; '));
      if (away) throw away;
    },
    stop: watching.stop,
  };
}

/** Says whether GitHub is reachable and refuses the request. Then asking more often does not help. */
function isAnswered(error: unknown): boolean {
  return error instanceof ForgeError && error.status !== undefined && error.status < 500;
}

/** Writes lines for people to the log of a process. */
export function toLog(log: Record<'error' | 'warn' | 'info', (line: string) => void>): GitHubWatchOptions['say'] {
  return (line, level) => log[level](line);
}
