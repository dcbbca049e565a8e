import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Db } from '../../store/database.ts';
import { sampleQueues } from '../../store/tasks/queue-sample.ts';

/** Pause between tries. A minute is missed only if all processes miss three tries. */
const EVERY_MS = 20_000;

/** Samples the queues once a minute, for their history. Each process with the API tries; the database lets one do it. */
export function startQueueSampling({ db, log }: { db: Db; log: Logger }): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  const working = (async () => {
    while (!signal.aborted) {
      await sampleQueues(db).catch((err: unknown) => log.debug({ err }, 'the queues could not be sampled'));
      await delay(EVERY_MS, undefined, { signal, ref: false }).catch(() => {});
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await working;
    },
  };
}
