import { createClient } from '@redis/client';
import type { CeleryResult } from '../contracts/celery.ts';

export interface ResultStoreOptions {
  /** `redis://` or `rediss://`; may hold a password, so it is in no error and no log line. */
  url: string;
  /** How long a result is kept (Celery's `result_expires`). */
  expiresMs: number;
  /** Told when the connection fails. */
  onError(reason: string): void;
}

/** Celery's result back end in Redis. */
export interface ResultStore {
  /** Keeps a result and wakes those who wait for it. A stored success is never replaced. @throws while Redis is away. */
  store(result: CeleryResult): Promise<void>;
  close(): Promise<void>;
}

/** Connects in the background, and again whenever the connection is lost, with pauses that grow to two seconds. */
export function openResultStore({ url, expiresMs, onError }: ResultStoreOptions): ResultStore {
  const client = createClient({
    url,
    // A command that waited here would be lost with the process; whoever asked retries.
    disableOfflineQueue: true,
    socket: { connectTimeout: 5_000, reconnectStrategy: (tries) => Math.min(50 * 2 ** tries, 2_000) },
  });
  client.on('error', (error: Error) =>
    onError(error.message || (error as { code?: string }).code || 'it cannot be reached'),
  );
  client.connect().catch((error: Error) => onError(error.message));
  return {
    async store(result) {
      const key = `celery-task-meta-${result.task_id}`;
      const standing = await client.get(key);
      if (standing !== null && statusOf(standing) === 'SUCCESS') return;
      const value = JSON.stringify(result);
      // As Celery's worker does it: clients listen on a channel named as the key, or read the key.
      await client
        .multi()
        .setEx(key, Math.ceil(expiresMs / 1_000), value)
        .publish(key, value)
        .exec();
    },
    async close() {
      client.destroy();
    },
  };
}

function statusOf(stored: string): unknown {
  try {
    return (JSON.parse(stored) as { status?: unknown } | null)?.status;
  } catch {
    return undefined;
  }
}
