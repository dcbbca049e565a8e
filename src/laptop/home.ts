import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type HomeOwner, ownerFile, ownerOf } from './home-owner.ts';
import { UserError } from './user-error.ts';

/** HAPAX_HOME, locked for this process until it is closed or the process ends in any way. */
export interface Home {
  readonly directory: string;
  /** Writes down for the user's other programs where to reach this process and its database. That includes the password. */
  announce(places: Omit<HomeOwner, 'pid'>): void;
  close(): void;
}

/** Thrown if another process has the home. */
export class HomeInUse extends UserError {}

/** Callers need not keep a Home: without this set, the garbage collector would close the database and drop the lock. */
const held = new Set<DatabaseSync>();

/**
 * Creates the directory, readable only for the user, and takes its lock. The lock is SQLite's: Node has no other that the
 * kernel releases when a process is killed.
 * @throws {HomeInUse} if another process holds it; UserError if it cannot be created, or is somebody else's.
 */
export function openHome(directory: string): Home {
  const owner = ownerFile(directory);
  let lock: DatabaseSync | undefined;
  try {
    // From here on, only the user can read files of this process and its servers, even copies of them.
    process.umask(0o077);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const fault = faultOfHome(directory);
    if (fault) throw new Error(fault);
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
    rmSync(owner, { force: true }); // others can read the one of an earlier version
    writeFileSync(owner, JSON.stringify({ pid: process.pid, ...places } satisfies HomeOwner), { mode: 0o600 });
  };
  announce({});
  return { directory, announce, close: () => held.delete(mine) && mine.close() };
}

/** Files that Hapax makes in a home, and `lost+found` of its disk. People may restore some of these files before the first start. */
const NAMES_IN_HOME = new Set([
  ...['lock', 'owner.json', 'postgres', 'temporal', 'blobs', 'surrealdb', 'checkpoint.key', 'simulated-github.ndjson'],
  'lost+found',
]);

/** Says why an existing directory must not become a home: the home would be closed to those who use the directory now. */
export function faultOfHome(directory: string): string | undefined {
  const user = process.getuid?.();
  const { uid } = statSync(directory);
  if (user !== undefined && uid !== user) {
    return `it belongs to the user with id ${uid}; run Hapax as that user, not as the one with id ${user}`;
  }
  const names = readdirSync(directory);
  const foreign = names.includes('lock') ? undefined : names.find((name) => !NAMES_IN_HOME.has(name));
  if (foreign === undefined) return undefined;
  return `it is no home of Hapax and holds ${foreign}; set HAPAX_HOME to a directory of its own`;
}

const SQLITE_BUSY = 5;

function describe(directory: string): string {
  const { pid, url } = ownerOf(directory) ?? {};
  return pid === undefined ? '' : url ? ` (pid ${pid}, ${url})` : ` (pid ${pid})`;
}
