import { homedir } from 'node:os';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where what can be made or fetched again is kept for this user: `hapax` in XDG_CACHE_HOME or `~/.cache`. */
export function cacheDirectory(environment: NodeJS.ProcessEnv): string {
  return join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hapax');
}

/** Where what is made once is kept: in a checkout itself; an installed package may belong to another user. */
export function madeOnceDirectory(environment: NodeJS.ProcessEnv): string {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  return root.includes(`${sep}node_modules${sep}`) ? cacheDirectory(environment) : join(root, 'build');
}
