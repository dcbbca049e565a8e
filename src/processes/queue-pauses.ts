import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Db } from '../store/database.ts';
import { listPausedQueues } from '../store/tasks/queue-pause-list.ts';

/** Pause between looks, milliseconds: so long after a queue was paused or resumed every worker heeds it. */
const LOOK_EVERY_MS = 1_000;

/** What heeds pauses. */
interface Pausable {
  pause(queues: ReadonlySet<string>): void;
}

/** Has the workers of a process take no tasks from queues that are paused. It looks once before it returns, for a second at most. */
export async function watchQueuePauses(db: Db, workers: Pausable, log: Logger): Promise<{ stop(): Promise<void> }> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const look = () =>
    listPausedQueues(db).then(
      (paused) => workers.pause(new Set(paused.map(({ queue }) => queue))),
      // What was paused stays paused while the database is away.
      (err: unknown) => log.debug({ err }, 'it is not known which queues are paused'),
    );
  // A database that does not answer must not keep the workers from starting.
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
