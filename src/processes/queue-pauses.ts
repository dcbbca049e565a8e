import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { type Repeating, repeat } from '../commands/lifecycle/repeat.ts';
import { holdTaskQueue } from '../commands/workers/hold-task-queue.ts';
import { taskQueueOf } from '../contracts/tasks/task-queues.ts';
import type { Db } from '../store/database.ts';
import { listPausedQueues } from '../store/tasks/queue-pause-list.ts';
import { findRegistrations } from '../store/tasks/task-type-list.ts';

/** Pause between polls, in milliseconds. Every worker follows a pause or resumption within this time. */
const LOOK_EVERY_MS = 1_000;

/** After so many polls, everything is compared again: Temporal may have lost its data, or have a new queue. */
const LOOKS_TO_COMPARE = 60;

/** The part that obeys pauses. */
interface Pausable {
  pause(queues: ReadonlySet<string>): void;
}

/**
 * Stops the workers of a process from taking tasks of paused queues, and lets Temporal hand out no tasks of these queues to workers in
 * Python, which cannot see the record. It polls once before it returns, for at most a second.
 */
export async function watchQueuePauses(
  { db, client, log }: { db: Db; client: Client; log: Logger },
  workers: Pausable,
): Promise<Repeating> {
  let followed: string | undefined;
  let looks = 0;
  let unheld: ReadonlySet<string> = new Set();
  const follow = async (paused: ReadonlySet<string>) => {
    const names = [...paused].join();
    looks += 1;
    if (names === followed && looks % LOOKS_TO_COMPARE !== 0) return;
    const failed = new Set<string>();
    for (const { name, runtime } of (await findRegistrations(db)).queues) {
      if (runtime !== 'python') continue;
      await holdTaskQueue(client, taskQueueOf(name, runtime), paused.has(name)).catch((err: unknown) => {
        failed.add(name);
        if (unheld.has(name)) return;
        log.warn({ err, queue: name }, 'workers in Python do not follow a pause or its end yet; trying again');
      });
    }
    unheld = failed;
    if (unheld.size === 0) followed = names;
  };
  const look = async () => {
    await listPausedQueues(db)
      .then((found) => {
        const paused = new Set(found.map(({ queue }) => queue));
        workers.pause(paused);
        return follow(paused);
      })
      // While the database is away, paused queues stay paused.
      .catch((err: unknown) => log.debug({ err }, 'it is not known which queues are paused'));
    return LOOK_EVERY_MS;
  };
  const first = look();
  // A database that does not respond must not keep the workers from starting.
  await Promise.race([first, delay(LOOK_EVERY_MS, undefined, { ref: false })]);
  return repeat(look, first);
}
