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

/** Returns the URL where this machine reaches the API that listens on HOST. */
export function urlAt(host: string, port: number): string {
  const reached = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}`;
}
