import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { createClient, RESP_TYPES } from '@redis/client';
import type { CeleryResult } from '../../contracts/celery/celery.ts';
import type { KeptChord } from '../../domain/celery/celery-chord.ts';
import { readKept } from '../../domain/celery/kept-payload.ts';

export interface ResultStoreOptions {
  /** `redis://` or `rediss://`; may hold a password, so it is in no error and no log line. */
  url: string;
  /** Celery's `global_keyprefix`. Default: none. */
  keyPrefix?: string;
  /** How long a result is kept (Celery's `result_expires`). */
  expiresMs: number;
  /** Told when the connection fails. */
  onError(reason: string): void;
}

/** Celery's result back end in Redis. */
export interface ResultStore {
  /**
   * Keeps a result and wakes those who wait for it. A stored success is never replaced. What a worker in Python has written of the same
   * end stays, since it may have written more; it does not know the tasks that follow. @throws while Redis is away.
   */
  store(result: CeleryResult): Promise<void>;
  /** What the client that sent a chord has kept of it; undefined while it still sends its members. @throws while Redis is away. */
  findChord(groupId: string): Promise<KeptChord | undefined>;
  close(): Promise<void>;
}

/** Connects in the background, and again whenever the connection is lost, with pauses that grow to two seconds. */
export function openResultStore({ url, keyPrefix = '', expiresMs, onError }: ResultStoreOptions): ResultStore {
  const prefix = `${separated(keyPrefix)}celery-task-meta-`;
  const groupPrefix = `${separated(keyPrefix)}celery-taskset-meta-`;
  const client = createClient({
    url: url.replace(/\?.*$/, ''),
    // A command that waited here would be lost with the process; whoever asked retries.
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
  // What is compressed is no text.
  const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  client.connect().catch((error: Error) => onError(error.message));
  return {
    async store(result) {
      const key = prefix + result.task_id;
      const standing = read(await bytes.get(key));
      const isTheSame = standing?.status === result.status && isDeepStrictEqual(standing.result, result.result);
      if (standing?.status === 'SUCCESS' && !(isTheSame && result.children.length > 0)) return;
      const value = JSON.stringify(isTheSame ? withChildren(standing, result) : result);
      // As Celery's worker does it: clients listen on a channel named as the key, or read the key.
      await client
        .multi()
        .setEx(key, Math.ceil(expiresMs / 1_000), value)
        .publish(key, value)
        .exec();
    },
    async findChord(groupId) {
      const key = groupPrefix + groupId;
      // Celery's client counts the members, and tasks add more by `add_to_chord`. It keeps the tree only where it is no plain list.
      const [size, added, group] = await bytes.mGet([`${key}.s`, `${key}.t`, key]);
      if (size == null) return undefined;
      const { result } = read<{ result: KeptChord['header'] }>(group) ?? {};
      return { size: Number(size) + Number(added ?? 0), header: result ?? null };
    },
    async close() {
      client.destroy();
    },
  };
}

/** As Celery since 5.5; earlier versions add the underscore always. */
function separated(prefix: string): string {
  return prefix === '' || /[:_.-]$/.test(prefix) ? prefix : `${prefix}_`;
}

/** What the options in the query ask for, by Celery's names. @throws where a file cannot be read. */
function tlsOf(url: string) {
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

/** What stands, and all tasks that followed: those that the task sent, and those that Hapax published. */
function withChildren(standing: Partial<CeleryResult>, { children }: CeleryResult): Partial<CeleryResult> {
  const sent = standing.children ?? [];
  const ids = new Set(sent.map(([[id]]) => id));
  return { ...standing, children: [...sent, ...children.filter(([[id]]) => !ids.has(id))] };
}

function read<Kept = CeleryResult>(stored: Buffer | null | undefined): Partial<Kept> | undefined {
  return (stored && (readKept(stored) as Partial<Kept> | null)) ?? undefined;
}
