import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { TaskTypeRegistration } from '../contracts/tasks/task-type.ts';
import type { Db } from '../store/database.ts';
import { registerTaskTypes } from '../store/tasks/task-type-register.ts';

/** Pause between tries while the database is away, milliseconds. */
const AGAIN_MS = 2_000;

/**
 * Records what a worker serves. It works meanwhile: a database that is away holds up nobody.
 * @param registrations one for each runtime.
 */
export function registerInBackground(
  db: Db,
  registrations: ReadonlyArray<Omit<TaskTypeRegistration, 'version'>>,
  log: Logger,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  const registering = (async () => {
    for (const registration of registrations) {
      while (!signal.aborted) {
        try {
          await registerTaskTypes(db, { version: 1, ...registration });
          break;
        } catch (err) {
          log.warn({ err }, 'the task types could not be registered; trying again');
          await delay(AGAIN_MS, undefined, { signal, ref: false }).catch(() => {});
        }
      }
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await registering;
    },
  };
}
