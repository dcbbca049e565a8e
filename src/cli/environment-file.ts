import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { misuse } from './failure.ts';

/** Returns the file of HAPAX_ENV_FILE; undefined if none is wanted. */
export function environmentFile(environment: NodeJS.ProcessEnv): string | undefined {
  return environment.HAPAX_ENV_FILE === '' ? undefined : resolve(environment.HAPAX_ENV_FILE ?? '.env');
}

/**
 * Reads a server's settings from a file. The environment takes precedence. Commands for people do not read it: they run in other people's
 * directories, where a file could send them to another server.
 * @returns the file, if it exists. @throws {Failure} if it cannot be read, or HAPAX_ENV_FILE names one that does not exist.
 */
export function readEnvironmentFile(environment: NodeJS.ProcessEnv): string | undefined {
  const file = environmentFile(environment);
  if (file === undefined) return undefined;
  const text = textOf(file);
  if (text === undefined) {
    if (environment.HAPAX_ENV_FILE === undefined) return undefined;
    throw misuse(`HAPAX_ENV_FILE: there is no file ${file}`, 'correct its name, or leave HAPAX_ENV_FILE out');
  }
  for (const [name, value] of Object.entries(parseEnv(text))) environment[name] ??= value;
  return file;
}

/** Returns what is in a file with settings; undefined if there is none. @throws {Failure} if it cannot be read. */
export function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw misuse(`the file with settings ${file} cannot be read`, `${message}; remove it, or set HAPAX_ENV_FILE`);
  }
}
