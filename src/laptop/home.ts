import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { UserError } from './user-error.ts';

/** HAPAX_HOME, ours alone until closed or until this process ends, however it ends. */
export interface Home {
  readonly directory: string;
  /** Tells the user's other programs where this one can be reached, and where its database, with the password. */
  announce(places: Omit<HomeOwner, 'pid'>): void;
  close(): void;
}

/** Who has a home, as `owner.json` in it says. */
export interface HomeOwner {
  pid: number;
  /** Of the API. */
  url?: string | undefined;
  /** Of the embedded database: a secret. */
  databaseUrl?: string | undefined;
  /** Of Temporal, host:port. */
  temporalAddress?: string | undefined;
}

/** Another process has the home. */
export class HomeInUse extends UserError {}

/** Nobody needs to keep a Home: without this, the garbage collector would close the database and so drop the lock. */
const held = new Set<DatabaseSync>();

/**
 * Makes the directory, readable for nobody else, and takes its lock. The lock is one of SQLite's: Node has no other
 * that the kernel lets go of when a process is killed.
 * @throws {HomeInUse} where another has it, or a UserError where it cannot be made.
 */
export function openHome(directory: string): Home {
  const owner = join(directory, 'owner.json');
  let lock: DatabaseSync | undefined;
  try {
    // What is made in it from here on, by the servers too, is for the user alone even where it is copied elsewhere.
    process.umask(0o077);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    chmodSync(directory, 0o700);
    lock = new DatabaseSync(join(directory, 'lock'), { timeout: 0 });
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    lock?.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) {
      throw new UserError(`cannot use ${directory} (HAPAX_HOME): ${(error as Error).message}`);
    }
    throw new HomeInUse(`another hapax${describe(directory)} is using ${directory}: stop it or set HAPAX_HOME`);
  }
  const mine = lock;
  held.add(mine);
  const announce: Home['announce'] = (places) => {
    rmSync(owner, { force: true }); // an earlier version made it readable for others
    writeFileSync(owner, JSON.stringify({ pid: process.pid, ...places } satisfies HomeOwner), { mode: 0o600 });
  };
  announce({});
  return { directory, announce, close: () => held.delete(mine) && mine.close() };
}

const SQLITE_BUSY = 5;

/** Who has a home, or had it last; undefined where nobody did or it has only just been taken. */
export function ownerOf(directory: string): HomeOwner | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, 'owner.json'), 'utf8')) as HomeOwner;
  } catch {
    return undefined;
  }
}

function describe(directory: string): string {
  const { pid, url } = ownerOf(directory) ?? {};
  return pid === undefined ? '' : url ? ` (pid ${pid}, ${url})` : ` (pid ${pid})`;
}
