import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { misuse } from '../failure.ts';

export interface Profile {
  url: string;
  key?: string;
}

/** The content of the file. */
export interface Profiles {
  default?: string | undefined;
  profiles: Record<string, Profile>;
}

/** Returns the user's directory for a kind of file, according to the XDG base directories. */
export function userDirectory(kind: 'config' | 'state', environment: NodeJS.ProcessEnv): string {
  const [given, usual] =
    kind === 'config'
      ? [environment.XDG_CONFIG_HOME, '.config']
      : [environment.XDG_STATE_HOME, join('.local', 'state')];
  return join(given || join(environment.HOME || homedir(), usual), 'hapax');
}

export const profilesFile = (environment: NodeJS.ProcessEnv) =>
  join(userDirectory('config', environment), 'profiles.json');

/** @throws {Failure} if others may read the file, or it is damaged. */
export function readProfiles(environment: NodeJS.ProcessEnv): Profiles {
  const file = profilesFile(environment);
  let text: string;
  try {
    if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) {
      throw misuse(`${file} holds keys and can be read by others`, `run: chmod 600 ${file}`);
    }
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { profiles: {} };
    throw error;
  }
  try {
    const { default: chosen, profiles } = JSON.parse(text) as Profiles;
    return { default: chosen, profiles: { ...profiles } };
  } catch {
    throw misuse(`${file} is not JSON`, 'correct it, or remove it and set the profiles again');
  }
}

/** Writes the whole file, readable only for its user. */
export function writeProfiles(profiles: Profiles, environment: NodeJS.ProcessEnv): void {
  const file = profilesFile(environment);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(profiles, null, 2)}\n`, { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, file);
}
