import { runningOwnerOf } from '../../laptop/home-owner.ts';
import { misuse } from '../failure.ts';
import { readProfiles } from './profiles.ts';

/** The Hapax that a command uses. */
export interface Target {
  /** Without a slash at its end. */
  url: string;
  key?: string | undefined;
  /** How it was found, for messages. */
  from: string;
}

/** The options that choose it. */
export interface TargetOptions {
  url?: string;
  profile?: string;
}

/**
 * Returns the first of these that exists: `--url`, `--profile`, HAPAX_URL, HAPAX_PROFILE, the default profile, the `hapax up` that runs in
 * HAPAX_HOME, the default port of this machine. The key of a profile is sent only to the profile's URL.
 * @throws {Failure} if the named one does not exist, or is not a URL.
 */
export function findTarget({ url, profile }: TargetOptions, environment: NodeJS.ProcessEnv): Target {
  const { HAPAX_URL, HAPAX_API_KEY: key, HAPAX_PROFILE } = environment;
  if (url && profile) throw misuse('--url and --profile name two servers', 'leave one out');
  if (url) return { url: baseUrl(url, '--url'), key, from: '--url' };
  if (profile) return ofProfile(profile, environment);
  if (HAPAX_URL) return { url: baseUrl(HAPAX_URL, 'HAPAX_URL'), key, from: 'HAPAX_URL' };
  const chosen = HAPAX_PROFILE || readProfiles(environment).default;
  if (chosen) return ofProfile(chosen, environment);
  const home = environment.HAPAX_HOME || '.hapax';
  const running = runningOwnerOf(home)?.url;
  if (running) return { url: running, key, from: `the hapax up of ${home}` };
  return { url: `http://127.0.0.1:${environment.PORT || 8000}`, key, from: 'the default' };
}

function ofProfile(name: string, environment: NodeJS.ProcessEnv): Target {
  const found = readProfiles(environment).profiles[name];
  if (!found) throw misuse(`There is no profile "${name}"`, 'hapax profile list shows those there are');
  return { ...found, from: `the profile ${name}` };
}

/** Returns an address without a slash at its end. @throws {Failure} if it is not an HTTP URL, or contains credentials. */
export function baseUrl(text: string, source: string): string {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw misuse(`${source} is not an HTTP URL`, 'use one such as http://127.0.0.1:8000');
  }
  if (url.username || url.password) throw misuse(`${source} carries a password`, 'put the key into HAPAX_API_KEY');
  return url.origin + url.pathname.replace(/\/+$/, '');
}
