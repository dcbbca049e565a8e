import { homedir } from 'node:os';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Returns this user's cache directory: `hapax` in XDG_CACHE_HOME or `~/.cache`. Everything in it can be made or fetched again. */
export function cacheDirectory(environment: NodeJS.ProcessEnv): string {
  return join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hapax');
}

/**
 * Returns the directory for what is built once: the checkout itself, or the cache, since an installed package may belong to
 * another user.
 */
export function madeOnceDirectory(environment: NodeJS.ProcessEnv): string {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  return root.includes(`${sep}node_modules${sep}`) ? cacheDirectory(environment) : join(root, 'build');
}
