import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadEnvFile } from 'node:process';

/** Returns the file of HAPAX_ENV_FILE; undefined if none is wanted. */
export function environmentFile(environment: NodeJS.ProcessEnv): string | undefined {
  return environment.HAPAX_ENV_FILE === '' ? undefined : resolve(environment.HAPAX_ENV_FILE ?? '.env');
}

/**
 * Reads a server's settings from a file. The environment takes precedence. Commands for people do not read it: they run in other people's
 * directories, where a file could send them to another server.
 * @returns the file, if it exists.
 */
export function readEnvironmentFile(environment: NodeJS.ProcessEnv): string | undefined {
  const file = environmentFile(environment);
  if (file === undefined || !existsSync(file)) return undefined;
  loadEnvFile(file);
  return file;
}
