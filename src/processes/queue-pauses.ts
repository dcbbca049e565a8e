import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Repeating, repeat } from '../commands/lifecycle/repeat.ts';
import type { Db } from '../store/database.ts';
import { listPausedQueues } from '../store/tasks/queue-pause-list.ts';

/** Pause between polls, in milliseconds. Every worker follows a pause or resumption within this time. */
const LOOK_EVERY_MS = 1_000;

/** The part that obeys pauses. */
interface Pausable {
  pause(queues: ReadonlySet<string>): void;
}

/** Stops the workers of a process from taking tasks of paused queues. It polls once before it returns, for at most a second. */
export async function watchQueuePauses(db: Db, workers: Pausable, log: Logger): Promise<Repeating> {
  const look = async () => {
    await listPausedQueues(db).then(
      (paused) => workers.pause(new Set(paused.map(({ queue }) => queue))),
      // While the database is away, paused queues stay paused.
      (err: unknown) => log.debug({ err }, 'it is not known which queues are paused'),
    );
    return LOOK_EVERY_MS;
  };
  const first = look();
  // A database that does not respond must not keep the workers from starting.
  await Promise.race([first, delay(LOOK_EVERY_MS, undefined, { ref: false })]);
  return repeat(look, first);
}
