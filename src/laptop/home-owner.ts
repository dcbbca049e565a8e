import { readFileSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { isLoopback } from '../contracts/loopback.ts';
import { isAlive } from './processes.ts';

/** The process that holds a home, from its `owner.json`. */
export interface HomeOwner {
  pid: number;
  /** URL of the API. */
  url?: string | undefined;
  /** URL of the embedded database: a secret. */
  databaseUrl?: string | undefined;
  /** Temporal's host:port. */
  temporalAddress?: string | undefined;
}

/** Returns the file in which the process that holds a home says where it can be reached. */
export const ownerFile = (directory: string) => join(directory, 'owner.json');

/**
 * Returns the process that holds a home, or held it last; undefined if there was none or it has just been taken. Keys are sent to where the
 * file says, and the directory may be part of what somebody else made: so it counts only if it can be the one that `announce` writes.
 */
export function ownerOf(directory: string): HomeOwner | undefined {
  const file = ownerFile(directory);
  try {
    const { uid, mode } = statSync(file);
    if (process.getuid && (uid !== process.getuid() || (mode & 0o077) !== 0)) return undefined;
    const owner = JSON.parse(readFileSync(file, 'utf8')) as HomeOwner;
    // 0, 1 and negative ids stand for other processes than one of the user.
    const isOwn = Number.isInteger(owner.pid) && owner.pid > 1;
    return isOwn && isHere(owner.url, 'http:') && isHere(owner.databaseUrl, 'postgres:') ? owner : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the process that holds a home. After a reboot, another program may have the number of a process that is gone. */
export function runningOwnerOf(directory: string): HomeOwner | undefined {
  const owner = ownerOf(directory);
  return owner && isAlive(owner.pid) ? owner : undefined;
}

/** Says whether a URL, if there is one, leads to this machine. */
function isHere(text: string | undefined, protocol: string): boolean {
  if (text === undefined) return true;
  const url = new URL(text);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isLocal =
    isLoopback(host) ||
    host === '0.0.0.0' ||
    host === '::' ||
    Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === host));
  return url.protocol === protocol && isLocal;
}
