import type { Settings } from '../../contracts/settings.ts';
import type { HomeOwner } from '../../laptop/home-owner.ts';

/** What the checks get to know. */
export interface Patient {
  settings: Settings;
  environment: NodeJS.ProcessEnv;
  /** The `hapax up` that runs in HAPAX_HOME, if there is one. */
  running: HomeOwner | undefined;
}

/** Returns the first line of an error, without what only a developer reads. */
export function lineOf(error: unknown): string {
  const { message = '', code } = error as { message?: string; code?: string };
  return message.split('\n', 1)[0]?.trim() || code || String(error);
}
