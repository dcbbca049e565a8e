import type { Logger } from 'pino';
import { BUILT_IN_QUEUES, type TaskRuntime } from '../../contracts/tasks/task-queues.ts';
import type { TaskType } from '../../contracts/tasks/task-type.ts';
import { builtInTaskOf } from '../../domain/tasks/task-request.ts';
import { builtInTaskTypes } from '../../domain/tasks/task-types.ts';
import type { Db } from '../../store/database.ts';
import { findRegistrations, listTaskTypes, type RegisteredQueue } from '../../store/tasks/task-type-list.ts';
import { Refusal } from '../refusal.ts';

/** What was read is good for so long; then it is read again, beside whoever asks. */
const FRESH_MS = 1_000;

/** Longest wait for the first reading, or for a type that is not known yet. */
const READ_WAIT_MS = 1_000;

/**
 * The task types that are registered, in the memory of a process. A look costs microseconds: it reads the database again in the
 * background, at most once a second, and waits for that only where a name is not known.
 */
export class TaskTypes {
  readonly #db: Db;
  readonly #log: Logger;
  readonly #builtIn = builtInTaskTypes();
  #types = new Map<string, TaskType>(this.#builtIn.map((type) => [type.name, type]));
  #queues: readonly RegisteredQueue[] = [];
  #last = -1;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<boolean> | undefined;

  constructor(db: Db, log: Logger) {
    this.#db = db;
    this.#log = log;
  }

  /**
   * The type that a name means: the one that is registered under it, or a task of Hapax, also with `tasks.` before it.
   * @throws {Refusal} where that cannot be known, as the database was away since the start.
   */
  async find(name: string): Promise<TaskType | undefined> {
    const known = this.known(name);
    if (known) return known;
    await this.#readWithin(READ_WAIT_MS);
    const found = this.known(name);
    if (!found && this.#last < 0) {
      throw new Refusal('database_unavailable', {
        detail: `Hapax cannot find out now whether there is a task ${name.slice(0, 100)}; try again`,
        retryAfterSeconds: 5,
      });
    }
    return found;
  }

  /** The same, as far as it is in memory. */
  known(name: string): TaskType | undefined {
    if (performance.now() - this.#readAt > FRESH_MS) void this.#read();
    const own = this.#types.get(name);
    if (own) return own;
    const builtIn = builtInTaskOf(name);
    return builtIn && this.#types.get(builtIn);
  }

  /** All types: those of Hapax's own tasks, then the others by name. */
  async list(): Promise<TaskType[]> {
    await this.#readUnlessFresh();
    const own = this.#builtIn.map(({ name }) => this.#types.get(name)!);
    const others = [...this.#types.values()].filter(({ runtime }) => runtime !== 'built-in');
    return [...own, ...others.sort((a, b) => (a.name < b.name ? -1 : 1))];
  }

  /** The queues that are known: those of Hapax's own tasks, then those that were registered, each with what runs its tasks. */
  async queues(): Promise<Map<string, ReadonlySet<TaskRuntime>>> {
    await this.#readUnlessFresh();
    const found = new Map<string, Set<TaskRuntime>>(BUILT_IN_QUEUES.map((name) => [name, new Set(['built-in'])]));
    const sorted = [...this.#queues].sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const { name, runtime } of sorted) found.set(name, (found.get(name) ?? new Set()).add(runtime));
    return found;
  }

  async #readUnlessFresh(): Promise<void> {
    if (performance.now() - this.#readAt > FRESH_MS) await this.#readWithin(READ_WAIT_MS);
  }

  async #readWithin(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    // What is under way may have begun before somebody registered.
    const reading = this.#reading ? this.#reading.then(() => this.#read()) : this.#read();
    await Promise.race([reading, late]);
    clearTimeout(timer);
  }

  /** Reads what changed. What is known stays while the database is away. */
  #read(): Promise<boolean> {
    this.#reading ??= this.#refresh()
      .then(
        () => true,
        (err: unknown) => {
          this.#log.debug({ err }, 'the task types could not be read');
          return false;
        },
      )
      .finally(() => {
        this.#readAt = performance.now();
        this.#reading = undefined;
      });
    return this.#reading;
  }

  async #refresh(): Promise<void> {
    const { last, queues } = await findRegistrations(this.#db);
    this.#queues = queues;
    if (last === this.#last) return;
    const registered = await listTaskTypes(this.#db);
    const types = new Map(registered.map((type) => [type.name, type]));
    // What this process knows of Hapax's own tasks counts, whatever version registered others.
    for (const own of this.#builtIn) {
      const { first_registered_at, last_registered_at, registered_by } = types.get(own.name) ?? own;
      types.set(own.name, { ...own, first_registered_at, last_registered_at, registered_by });
    }
    this.#types = types;
    this.#last = last;
  }
}
