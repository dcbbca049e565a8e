import { createHash, randomUUID } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { userDirectory } from './profiles.ts';

/** After this long, who sends the same request means another one. */
const KEPT_MS = 24 * 3_600_000;

interface Entry {
  key: string;
  /** ISO 8601: when the first attempt was made. */
  since: string;
  /** The command that used it last. */
  holder: string;
}

/** An Idempotency-Key that outlives the command which made it. */
export interface KeptKey {
  key: string;
  /** When an earlier command sent this request and got no response; undefined for a new key. */
  since: Date | undefined;
  /** Forgets it, once the response has come. Where another command uses it meanwhile, that one does. */
  drop(): void;
}

/**
 * The key of a request that got no response yet, or a new one. It is on disk before this returns, so that whatever kills the
 * command, the same command again sends the same key.
 * @param request what makes two requests the same: the address of the server and all that is sent.
 */
export function keepKey(request: unknown, environment: NodeJS.ProcessEnv, { fresh = false } = {}): KeptKey {
  const directory = join(userDirectory('state', environment), 'requests');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, `${createHash('sha256').update(JSON.stringify(request)).digest('hex')}.json`);
  const holder = randomUUID();
  const made = { key: `hapax-cli-${randomUUID()}`, since: new Date().toISOString(), holder };
  if (fresh || isOld(read(file))) rmSync(file, { force: true });
  // Of two commands that begin at once, one makes the key and the other takes it.
  const known = create(file, made) ? undefined : read(file);
  const mine: Entry = { ...made, ...known, holder };
  if (known) replace(file, mine);
  return {
    key: mine.key,
    since: known && new Date(known.since),
    drop() {
      if (read(file)?.holder === mine.holder) rmSync(file, { force: true });
    },
  };
}

function read(file: string): Entry | undefined {
  try {
    const { key, since, holder } = JSON.parse(readFileSync(file, 'utf8')) as Entry;
    return key && Number.isFinite(Date.parse(since)) ? { key, since, holder } : undefined;
  } catch {
    return undefined;
  }
}

const isOld = (entry: Entry | undefined) => entry !== undefined && Date.now() - Date.parse(entry.since) > KEPT_MS;

/** Whether it was not there and is there now, in whole. */
function create(file: string, entry: Entry): boolean {
  const draft = write(file, entry);
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(draft);
  }
}

function replace(file: string, entry: Entry): void {
  renameSync(write(file, entry), file);
}

/** A file beside, on disk. */
function write(file: string, entry: Entry): string {
  const draft = `${file}.${entry.holder}`;
  const handle = openSync(draft, 'wx', 0o600);
  try {
    writeSync(handle, JSON.stringify(entry));
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  return draft;
}
