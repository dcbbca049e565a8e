import type { Logger } from 'pino';
import { LIMITS } from '../../contracts/budgets.ts';
import type { Key } from '../../domain/keys/key.ts';
import type { Db } from '../../store/database.ts';
import { saveKeyUses } from '../../store/keys/key-hash.ts';
import { listKeyHashes, versionOfKeys } from '../../store/keys/key-list.ts';
import { repeat } from '../lifecycle/repeat.ts';
import { Refusal } from '../refusal.ts';

/** Pause between two polls for keys that were made or revoked. One poll is one short query. */
const EVERY_MS = 1_000;
/** How long the keys of the last poll are valid while the database does not respond: a revocation could go unseen. */
const STALE_MS = LIMITS.keys.staleSeconds * 1_000;
/** The same of a key that is not among them: it could have been made since. */
const UNSURE_MS = 5_000;
/** Pause between two writes of the last uses of keys. */
const USES_EVERY_MS = 60_000;

/**
 * The created keys, in the memory of this process, so that a request, and above all a wrong key, costs no query. Every
 * process polls once a second for keys that were made or revoked; the one that made or revoked a key polls at once.
 */
export class KeyRing {
  readonly #db: Db;
  readonly #log: Logger;
  #byHash: ReadonlyMap<string, Key> = new Map();
  #version = 0;
  #readAt = Number.NEGATIVE_INFINITY;
  #uses = new Map<string, string>();
  #revoked = new Set<() => void>();

  constructor({ db, log }: { db: Db; log: Logger }) {
    this.#db = db;
    this.#log = log;
  }

  /** How many keys are not revoked. Expired ones count: the API must not open because a key expires. */
  get size(): number {
    return this.#byHash.size;
  }

  /**
   * @param given.evenStale accepts a key of the last poll, however long ago that was.
   * @throws {Refusal} if nobody can tell whether the key is valid, since the keys could not be read for too long.
   */
  find(hash: string, { evenStale = false } = {}): Key | undefined {
    const key = this.#byHash.get(hash);
    if (key && evenStale) return key;
    if (performance.now() - this.#readAt > (key ? STALE_MS : UNSURE_MS)) {
      const detail = key
        ? `nobody can tell whether the key was revoked: the database has not answered for ${LIMITS.keys.staleSeconds} s`
        : 'nobody can tell whether there is such a key: the database does not answer';
      throw new Refusal('database_unavailable', { detail, retryAfterSeconds: 5 });
    }
    return key;
  }

  /** Returns the key with this id, unless it is revoked. */
  holds(id: string): Key | undefined {
    for (const key of this.#byHash.values()) if (key.id === id) return key;
    return undefined;
  }

  /** Notes that a key is used. This is saved later, at most once a minute. */
  used({ id }: Key): void {
    this.#uses.set(id, new Date().toISOString());
  }

  /** Calls back each time the keys have changed, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#revoked.add(listener);
    return () => this.#revoked.delete(listener);
  }

  /** Reads the keys if they have changed. */
  async refresh(): Promise<void> {
    const startedAt = performance.now();
    const version = await versionOfKeys(this.#db);
    if (version !== this.#version) {
      const keys = await listKeyHashes(this.#db);
      this.#byHash = new Map(keys.map(({ hash, ...key }) => [hash, key]));
      this.#version = version;
      for (const listener of [...this.#revoked]) listener();
    }
    this.#readAt = startedAt;
  }

  /** Polls for changes and saves uses, until it is stopped. */
  start(): { stop(): Promise<void> } {
    let savedAt = performance.now();
    const polling = repeat(async () => {
      await this.refresh().catch((err: unknown) => this.#log.debug({ err }, 'the keys could not be read'));
      if (performance.now() - savedAt >= USES_EVERY_MS) {
        savedAt = performance.now();
        await this.#saveUses();
      }
      return EVERY_MS;
    }, EVERY_MS);
    return {
      stop: async () => {
        await polling.stop();
        await this.#saveUses();
      },
    };
  }

  async #saveUses(): Promise<void> {
    const uses = this.#uses;
    if (uses.size === 0) return;
    this.#uses = new Map();
    await saveKeyUses(this.#db, uses).catch((err: unknown) => {
      this.#uses = new Map([...uses, ...this.#uses]);
      this.#log.debug({ err }, 'when keys were used could not be written down');
    });
  }
}
