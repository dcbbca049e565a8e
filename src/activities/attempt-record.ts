import type { TaskEvent } from '../contracts/tasks/task-event.ts';
import { ENDED } from '../contracts/tasks/task-workflow.ts';
import { IllegalEvent } from '../domain/record/illegal-event.ts';
import { type Db, databaseFault } from '../store/database.ts';
import { listCallbackTargets } from '../store/endings/callback-target-list.ts';
import { appendEvents } from '../store/record/event-append.ts';
import { TASKS, taskStream } from '../store/tasks/task-stream.ts';
import type { OwnRecord, TaskPort, Worked } from '../workflows/ports/tasks.ts';
import { NotYet } from './failures.ts';
import type { ActivityMeter } from './meter.ts';

type Request = Parameters<TaskPort['runTask']>[0];
type Recorded = Pick<Extract<Worked, { result: unknown }>, 'recorded'>;

/** How long to wait for the database before the next try. */
const AWAY_MS = 2_000;

/** How long to wait here until the success is recorded. After that the workflow records it, and waits as long as that takes. */
const END_TIMEOUT_MS = 2_000;

/**
 * The events that an attempt at a task records: that it begins and, unless its workflow began under an earlier version,
 * that it succeeded. Each takes one statement. Appending one again changes nothing.
 */
export class AttemptRecord {
  readonly #db: Db;
  readonly #request: Request;
  readonly #meter: Pick<ActivityMeter, 'taskEnded'> | undefined;
  #begun: TaskEvent[] = [];
  #seq = 0;

  constructor(db: Db, request: Request, meter: Pick<ActivityMeter, 'taskEnded'> | undefined) {
    this.#db = db;
    this.#request = request;
    this.#meter = meter;
  }

  /**
   * Records that the attempt begins; returns false if the record says that the task has ended.
   * @throws {RecordSetBack} {ForeignStream} for the workflow. @throws {NotYet} while the database is away.
   */
  async begin({ key, worker }: { key: string; worker: string }): Promise<boolean> {
    const { task_id, attempt, step, args, kwargs, own_record } = this.#request;
    const occurred_at = new Date().toISOString();
    const started: TaskEvent = {
      ...{ type: 'task_started', data: { attempt, worker } },
      ...{ occurred_at, dedupe_key: key },
    };
    const received: TaskEvent = { type: 'task_received', data: {}, occurred_at, dedupe_key: `${step}received` };
    const queued = own_record?.queued;
    this.#begun = queued ? [received, started] : [started];
    const first: TaskEvent[] = queued ? [{ ...queued, data: { ...queued.data, args, kwargs } }] : [];
    const events = [...first, ...this.#begun];
    try {
      const { seq, state } = await appendEvents(this.#db, TASKS, task_id, events, own_record?.expected);
      this.#seq = seq;
      // The record may have these events of old, and the end as well: Temporal lost what it knew of the attempt.
      return !own_record || state.completed_at === null;
    } catch (error) {
      if (own_record && error instanceof IllegalEvent) return false;
      if (databaseFault(error)?.kind === 'away') throw new NotYet('the database is away', AWAY_MS);
      throw error;
    }
  }

  /**
   * Records that the task succeeded, if nobody continued it since the attempt began. If this fails, the work is neither
   * lost nor repeated: the workflow records the result that it gets.
   */
  async succeed(result: unknown): Promise<Recorded> {
    const { own_record } = this.#request;
    if (!own_record) return {};
    const ended_at = new Date().toISOString();
    // Whatever goes wrong, the workflow finds it out again.
    const recording = this.#end(own_record, result, ended_at).catch(() => null);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, END_TIMEOUT_MS, null);
    });
    const targets = await Promise.race([recording, late]);
    clearTimeout(timer);
    return { recorded: { begun: this.#begun, ended_at, seq: this.#seq, targets } };
  }

  /** Records the end, then lists the targets. A request that adds a target does the reverse, so none is missed. */
  async #end({ expected }: OwnRecord, result: unknown, ended_at: string): Promise<string[]> {
    const { task_id, step } = this.#request;
    const succeeded: TaskEvent = {
      ...{ type: 'task_succeeded', data: { result } },
      ...{ occurred_at: ended_at, dedupe_key: `${step}${ENDED}` },
    };
    const behindTheBeginning = { owner: expected.owner, after_seq: this.#seq, is_last: true };
    const { state, seq } = await appendEvents(this.#db, TASKS, task_id, [succeeded], behindTheBeginning);
    this.#seq = seq;
    this.#meter?.taskEnded(state);
    return listCallbackTargets(this.#db, taskStream(task_id));
  }
}
