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

/** How long a key is kept. After that, the same request counts as a new one. */
const KEPT_MS = 24 * 3_600_000;

interface Entry {
  key: string;
  /** ISO 8601: when the first attempt was made. */
  since: string;
  /** The command that used it last. */
  holder: string;
}

/** An Idempotency-Key that outlives the command that made it. */
export interface KeptKey {
  key: string;
  /** When the first command with this key was given. */
  since: Date;
  /** Whether an earlier command sent this request and got no response. */
  isRepeated: boolean;
  /** Deletes it once the response has come. If another command uses it now, that one deletes it instead. */
  drop(): void;
}

/**
 * Returns the key of a request that got no response yet, or a new one. The key is on disk before this returns. So whatever kills the
 * command, the same command sends the same key the next time.
 * @param request what makes two requests the same: the server's address and everything that is sent.
 */
export function keepKey(request: unknown, environment: NodeJS.ProcessEnv, { fresh = false } = {}): KeptKey {
  const directory = join(userDirectory('state', environment), 'requests');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, `${createHash('sha256').update(JSON.stringify(request)).digest('hex')}.json`);
  const holder = randomUUID();
  const made = { key: `hapax-cli-${randomUUID()}`, since: new Date().toISOString(), holder };
  if (fresh || isOld(read(file))) rmSync(file, { force: true });
  // If two commands start at once, one makes the key and the other uses it.
  const known = create(file, made) ? undefined : read(file);
  const mine: Entry = { ...made, ...known, holder };
  if (known) replace(file, mine);
  return {
    key: mine.key,
    since: new Date(mine.since),
    isRepeated: known !== undefined,
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

/** Creates the file with its whole content. Returns whether it did not exist before. */
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

/** Writes a file beside it and syncs it to disk. */
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
