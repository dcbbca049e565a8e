import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { UserError } from './user-error.ts';

/** HAPAX_HOME, ours alone until closed or until this process ends, however it ends. */
export interface Home {
  readonly directory: string;
  /** Tells those who are refused where this one can be reached. */
  announce(url: string): void;
  close(): void;
}

/** Nobody needs to keep a Home: without this, the garbage collector would close the database and so drop the lock. */
const held = new Set<DatabaseSync>();

/**
 * Makes the directory, readable for nobody else, and takes its lock. The lock is one of SQLite's: Node has no other
 * that the kernel lets go of when a process is killed.
 */
export function openHome(directory: string): Home {
  const owner = join(directory, 'owner.json');
  let lock: DatabaseSync | undefined;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    chmodSync(directory, 0o700);
    lock = new DatabaseSync(join(directory, 'lock'), { timeout: 0 });
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    lock?.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) {
      throw new UserError(`cannot use ${directory} (HAPAX_HOME): ${(error as Error).message}`);
    }
    throw new UserError(`another hapax${describe(owner)} is using ${directory}: stop it or set HAPAX_HOME`);
  }
  const mine = lock;
  held.add(mine);
  const announce = (url?: string): void => writeFileSync(owner, JSON.stringify({ pid: process.pid, url }));
  announce();
  return { directory, announce, close: () => held.delete(mine) && mine.close() };
}

const SQLITE_BUSY = 5;

function describe(owner: string): string {
  try {
    const { pid, url } = JSON.parse(readFileSync(owner, 'utf8')) as { pid: number; url?: string };
    return url ? ` (pid ${pid}, ${url})` : ` (pid ${pid})`;
  } catch {
    return ''; // it has only just taken the lock
  }
}
