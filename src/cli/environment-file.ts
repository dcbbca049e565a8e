import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadEnvFile } from 'node:process';

/** The file of HAPAX_ENV_FILE; undefined where none is wanted. */
export function environmentFile(environment: NodeJS.ProcessEnv): string | undefined {
  return environment.HAPAX_ENV_FILE === '' ? undefined : resolve(environment.HAPAX_ENV_FILE ?? '.env');
}

/**
 * Reads settings of a server from a file, besides the environment, which goes first. Commands for people read none: they run
 * in directories of others, where a file could send them to another server.
 * @returns the file, if there is one.
 */
export function readEnvironmentFile(environment: NodeJS.ProcessEnv): string | undefined {
  const file = environmentFile(environment);
  if (file === undefined || !existsSync(file)) return undefined;
  loadEnvFile(file);
  return file;
}
