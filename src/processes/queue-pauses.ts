import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Db } from '../store/database.ts';
import { listPausedQueues } from '../store/tasks/queue-pause-list.ts';

/** Pause between polls, in milliseconds. Every worker follows a pause or resumption within this time. */
const LOOK_EVERY_MS = 1_000;

/** The part that obeys pauses. */
interface Pausable {
  pause(queues: ReadonlySet<string>): void;
}

/** Stops the workers of a process from taking tasks of paused queues. It polls once before it returns, for at most a second. */
export async function watchQueuePauses(db: Db, workers: Pausable, log: Logger): Promise<{ stop(): Promise<void> }> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const look = () =>
    listPausedQueues(db).then(
      (paused) => workers.pause(new Set(paused.map(({ queue }) => queue))),
      // While the database is away, paused queues stay paused.
      (err: unknown) => log.debug({ err }, 'it is not known which queues are paused'),
    );
  // A database that does not respond must not keep the workers from starting.
  await Promise.race([look(), delay(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => {})]);
  const watching = (async () => {
    while (!signal.aborted) {
      await delay(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => {});
      if (!signal.aborted) await look();
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await watching;
    },
  };
}
