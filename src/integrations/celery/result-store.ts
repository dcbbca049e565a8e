import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { createClient, RESP_TYPES } from '@redis/client';
import type { CeleryResult } from '../../contracts/celery/celery.ts';
import type { KeptChord } from '../../domain/celery/celery-chord.ts';
import { readKept } from '../../domain/celery/kept-payload.ts';

export interface ResultStoreOptions {
  /** `redis://` or `rediss://`. It may contain a password, so no error and no log line shows it. */
  url: string;
  /** Celery's `global_keyprefix`. Default: none. */
  keyPrefix?: string;
  /** How long a result is kept (Celery's `result_expires`). */
  expiresMs: number;
  /** Called when the connection fails. */
  onError(reason: string): void;
}

/** Celery's result back end in Redis. */
export interface ResultStore {
  /**
   * Stores a result and wakes those who wait for it. It never replaces a stored success. If a worker in Python has written the same end,
   * that stays, because it may contain more. The tasks that follow are added, since that worker does not know them.
   * @throws while Redis is away.
   */
  store(result: CeleryResult): Promise<void>;
  /** Returns what the client that sent a chord stored about it; undefined while it still sends members. @throws while Redis is away. */
  findChord(groupId: string): Promise<KeptChord | undefined>;
  /** Makes Redis drop the count of an ended chord, as long after its end as a result is kept. @throws while Redis is away. */
  expireChord(groupId: string): Promise<void>;
  close(): Promise<void>;
}

/** Connects in the background, and reconnects whenever the connection is lost, with pauses that grow to two seconds. */
export function openResultStore({ url, keyPrefix = '', expiresMs, onError }: ResultStoreOptions): ResultStore {
  const prefix = `${separated(keyPrefix)}celery-task-meta-`;
  const groupPrefix = `${separated(keyPrefix)}celery-taskset-meta-`;
  const client = createClient({
    url: url.replace(/\?.*$/, ''),
    // A command that waited here would be lost with the process. The caller retries instead.
    disableOfflineQueue: true,
    socket: {
      ...tlsOf(url),
      connectTimeout: 5_000,
      reconnectStrategy: (tries) => Math.min(50 * 2 ** tries, 2_000),
    },
  });
  client.on('error', (error: Error) =>
    onError(error.message || (error as { code?: string }).code || 'it cannot be reached'),
  );
  // Compressed values are not text.
  const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  client.connect().catch((error: Error) => onError(error.message));
  return {
    async store(result) {
      const key = prefix + result.task_id;
      const standing = read(await bytes.get(key));
      const isTheSame = standing?.status === result.status && isDeepStrictEqual(standing.result, result.result);
      if (standing?.status === 'SUCCESS' && !(isTheSame && result.children.length > 0)) return;
      const value = JSON.stringify(isTheSame ? withChildren(standing, result) : result);
      // As in Celery's worker: clients listen on a channel with the name of the key, or read the key.
      await client
        .multi()
        .setEx(key, Math.ceil(expiresMs / 1_000), value)
        .publish(key, value)
        .exec();
    },
    async findChord(groupId) {
      const key = groupPrefix + groupId;
      // Celery's client counts the members, and tasks add more with `add_to_chord`. It stores the tree only if it is not a plain list.
      const [size, added, group] = await bytes.mGet([`${key}.s`, `${key}.t`, key]);
      if (size == null) return undefined;
      const { result } = read<{ result: KeptChord['header'] }>(group) ?? {};
      return { size: Number(size) + Number(added ?? 0), header: result ?? null };
    },
    async expireChord(groupId) {
      const seconds = Math.ceil(expiresMs / 1_000);
      // The client stores the tree with its own expiry.
      await client
        .multi()
        .expire(`${groupPrefix}${groupId}.s`, seconds)
        .expire(`${groupPrefix}${groupId}.t`, seconds)
        .exec();
    },
    async close() {
      client.destroy();
    },
  };
}

/** Adds an underscore as Celery does since 5.5. Earlier versions always add it. */
function separated(prefix: string): string {
  return prefix === '' || /[:_.-]$/.test(prefix) ? prefix : `${prefix}_`;
}

/** Returns the TLS options in the query of a URL, which have Celery's names. @throws if a file cannot be read. */
export function tlsOf(url: string) {
  const { protocol, searchParams } = new URL(url);
  if (protocol !== 'rediss:') return {};
  const file = (name: string) => {
    const path = searchParams.get(name);
    return path === null ? undefined : readFileSync(path);
  };
  const [ca, cert, key] = [file('ssl_ca_certs'), file('ssl_certfile'), file('ssl_keyfile')];
  return {
    tls: true as const,
    rejectUnauthorized: !/none$/i.test(searchParams.get('ssl_cert_reqs') ?? ''),
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
  };
}

/** Returns the stored result with all tasks that followed: those that the task sent, and those that Hapax published. */
function withChildren(standing: Partial<CeleryResult>, { children }: CeleryResult): Partial<CeleryResult> {
  const sent = standing.children ?? [];
  const ids = new Set(sent.map(([[id]]) => id));
  return { ...standing, children: [...sent, ...children.filter(([[id]]) => !ids.has(id))] };
}

function read<Kept = CeleryResult>(stored: Buffer | null | undefined): Partial<Kept> | undefined {
  return (stored && (readKept(stored) as Partial<Kept> | null)) ?? undefined;
}
