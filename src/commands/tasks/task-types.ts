import type { Logger } from 'pino';
import { BUILT_IN_QUEUES, type TaskRuntime } from '../../contracts/tasks/task-queues.ts';
import type { TaskType } from '../../contracts/tasks/task-type.ts';
import { builtInTaskOf } from '../../domain/tasks/task-request.ts';
import { builtInTaskTypes } from '../../domain/tasks/task-types.ts';
import type { Db } from '../../store/database.ts';
import {
  findRegistrations,
  listRegisteredWorkers,
  listTaskTypes,
  type RegisteredQueue,
} from '../../store/tasks/task-type-list.ts';
import { Refusal } from '../refusal.ts';

/** How long a read is fresh. After that, the next lookup starts another read, and does not wait for it. */
const FRESH_MS = 1_000;

/** How long to wait for the first read, or for a name that is not registered. */
const READ_WAIT_MS = 1_000;

/**
 * The registered task types, in the memory of a process. A lookup costs microseconds: it reads the database again in the
 * background, at most once a second, and waits for that only if a name is not registered.
 */
export class TaskTypes {
  readonly #db: Db;
  readonly #log: Logger;
  readonly #builtIn = builtInTaskTypes();
  #types = new Map<string, TaskType>(this.#builtIn.map((type) => [type.name, type]));
  #queues: readonly RegisteredQueue[] = [];
  /** The names that each worker registered, by its runtime and identity. */
  #served: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  #last: string | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<boolean> | undefined;

  constructor(db: Db, log: Logger) {
    this.#db = db;
    this.#log = log;
  }

  /**
   * Finds the type with this name: the registered one, or a task of Hapax, even with `tasks.` before its name.
   * @throws {Refusal} if this is unknown, because the database has been away since the start.
   */
  async find(name: string): Promise<TaskType | undefined> {
    const registered = this.#types.get(name);
    if (registered) {
      this.#keepFresh();
      return registered;
    }
    // A worker may have registered it just now. Then `tasks.ingest_url` is the worker's, not Hapax's own task.
    await this.#readWithin(READ_WAIT_MS);
    const found = this.known(name);
    if (!found && this.#last === undefined) {
      throw new Refusal('database_unavailable', {
        detail: `Hapax cannot find out now whether there is a task ${name.slice(0, 100)}; try again`,
        retryAfterSeconds: 5,
      });
    }
    return found;
  }

  /** Does the same, only from memory. */
  known(name: string): TaskType | undefined {
    this.#keepFresh();
    const own = this.#types.get(name);
    if (own) return own;
    const builtIn = builtInTaskOf(name);
    return builtIn && this.#types.get(builtIn);
  }

  /** Lists all types: those of Hapax's own tasks, then the others by name. */
  async list(): Promise<TaskType[]> {
    await this.#readUnlessFresh();
    const own = this.#builtIn.map(({ name }) => this.#types.get(name)!);
    const others = [...this.#types.values()].filter(({ runtime }) => runtime !== 'built-in');
    return [...own, ...others.sort((a, b) => (a.name < b.name ? -1 : 1))];
  }

  /** Lists the known queues: those of Hapax's own tasks, then the registered ones, each with the runtimes of its tasks. */
  async queues(): Promise<Map<string, ReadonlySet<TaskRuntime>>> {
    await this.#readUnlessFresh();
    const found = new Map<string, Set<TaskRuntime>>(BUILT_IN_QUEUES.map((name) => [name, new Set(['built-in'])]));
    const sorted = [...this.#queues].sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const { name, runtime } of sorted) found.set(name, (found.get(name) ?? new Set()).add(runtime));
    return found;
  }

  /** Says whether a worker that polls the queue of a type serves it: it has registered it, or it has not said what it serves. */
  isServedBy({ name, runtime }: TaskType, identity: string): boolean {
    return this.#served.get(`${runtime} ${identity}`)?.has(name) ?? true;
  }

  /** Reads what was just changed, so that it holds in this process at once. */
  async readAgain(): Promise<void> {
    await this.#readWithin(READ_WAIT_MS);
  }

  get #isFresh(): boolean {
    return performance.now() - this.#readAt <= FRESH_MS;
  }

  #keepFresh(): void {
    if (!this.#isFresh) void this.#read();
  }

  async #readUnlessFresh(): Promise<void> {
    if (!this.#isFresh) await this.#readWithin(READ_WAIT_MS);
  }

  async #readWithin(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    // A read that is under way may have begun before the registration.
    const reading = this.#reading ? this.#reading.then(() => this.#read()) : this.#read();
    await Promise.race([reading, late]);
    clearTimeout(timer);
  }

  /** Reads what changed. While the database is away, what is known stays. */
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
    const [registered, workers] = await Promise.all([listTaskTypes(this.#db), listRegisteredWorkers(this.#db)]);
    const types = new Map(registered.map((type) => [type.name, type]));
    // For Hapax's own tasks, what this process knows counts, whatever version registered others.
    for (const own of this.#builtIn) {
      const { first_registered_at, last_registered_at, registered_by } = types.get(own.name) ?? own;
      types.set(own.name, { ...own, first_registered_at, last_registered_at, registered_by });
    }
    this.#types = types;
    this.#served = new Map(workers.map(({ identity, runtime, names }) => [`${runtime} ${identity}`, new Set(names)]));
    this.#last = last;
  }
}
