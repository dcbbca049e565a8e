import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { TaskTypeRegistration } from '../contracts/tasks/task-type.ts';
import type { Db } from '../store/database.ts';
import { registerTaskTypes } from '../store/tasks/task-type-register.ts';

/** Pause between tries while the database is away, in milliseconds. */
const AGAIN_MS = 2_000;

/** Records what a worker serves. The worker works meanwhile, so a database that is away delays nothing. */
export class Registering {
  readonly #db: Db;
  readonly #log: Logger;
  readonly #stopping = new AbortController();
  #working = Promise.resolve();

  constructor(db: Db, log: Logger) {
    this.#db = db;
    this.#log = log;
  }

  /** Records this after the earlier registrations. */
  add(registration: Omit<TaskTypeRegistration, 'version'>): void {
    this.#working = this.#working.then(() => this.#register(registration));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#working;
  }

  async #register(registration: Omit<TaskTypeRegistration, 'version'>): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await registerTaskTypes(this.#db, { version: 1, ...registration });
        return;
      } catch (err) {
        this.#log.warn({ err }, 'the task types could not be registered; trying again');
        await delay(AGAIN_MS, undefined, { signal, ref: false }).catch(() => {});
      }
    }
  }
}
