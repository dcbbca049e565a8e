import { patched } from '@temporalio/workflow';
import type { TaskError, TaskEvent, TaskEventType } from '../../contracts/tasks/task-event.ts';
import { ENDED, type TaskInput } from '../../contracts/tasks/task-workflow.ts';
import {
  taskEndLostEvent,
  taskQueuedEvent,
  taskRecoveredEvent,
  taskRedrivenEvent,
} from '../../domain/record/first-events.ts';
import { record } from '../activities.ts';
import { isFailure, Journal, onTellAgain, recovered, setBack } from '../journal.ts';
import type { RecordPort, TaskOutcome } from '../ports/record.ts';
import type { OwnRecord, Worked } from '../ports/tasks.ts';

type DataOf<Type extends TaskEventType> = Extract<TaskEvent, { type: Type }>['data'];

/** The end of a task that the record already has. */
export interface RecordedEnd {
  outcome: TaskOutcome;
  /** Dedupe key of the event that says so. */
  ending: string;
  /** Targets of callbacks; undefined if nobody has asked the record yet. */
  targets?: string[];
}

/** Thrown if another redrive was first, or if the task was made before and Temporal has forgotten it: there is nothing to do. */
export class LedElsewhere extends Error {}

/** The events that a task's workflow records. */
export class TaskRecord {
  readonly #input: TaskInput;
  readonly #first: TaskEvent;
  readonly #journal: Journal<TaskEvent, Awaited<ReturnType<RecordPort['appendTaskEvent']>>>;
  /** Whether attempts record their success themselves; false if the workflow started under an earlier version. */
  readonly isLean: boolean;
  /** Tells the steps of a redrive from earlier ones. */
  readonly prefix: string;
  #hasBegun = false;

  constructor(input: TaskInput, isLean: boolean) {
    const { redrive } = input;
    this.#input = input;
    this.isLean = isLean;
    this.#first = redrive ? taskRedrivenEvent(input, redrive) : taskQueuedEvent(input);
    this.#journal = openJournal(input, isLean);
    this.prefix = redrive ? `${this.#first.dedupe_key}:` : '';
    onTellAgain(() => this.tellAgain());
  }

  /** Records that the task starts, or starts again, unless that is recorded. @throws {LedElsewhere} */
  async begin(): Promise<void> {
    if (this.#hasBegun) return;
    const { recovery } = this.#input;
    const { stands } = await this.#journal.tell(this.#first);
    if (!stands) throw new LedElsewhere();
    if (recovery) await this.#journal.tell(taskRecoveredEvent(recovery));
    this.#hasBegun = true;
    await this.recordEvent('task_received', 'received', {});
  }

  /**
   * Records an event of the task, after its first events. `step` names the point of the workflow, so that recording it again changes
   * nothing.
   * @returns whether the record has this event, and not an earlier one at this step.
   */
  async recordEvent<Type extends TaskEventType>(
    type: Type,
    step: string,
    data: DataOf<Type>,
    occurred_at = new Date().toISOString(),
  ): Promise<boolean> {
    await this.begin();
    const dedupe_key = this.prefix + step;
    const { stands } = await this.#journal.tell({ type, data, occurred_at, dedupe_key } as TaskEvent);
    return stands;
  }

  /**
   * Records an event as {@link recordEvent} does. If the record says that the task has ended, returns how it did. An attempt may have
   * recorded that.
   */
  async recordUnlessEnded<Type extends TaskEventType>(
    type: Type,
    step: string,
    data: DataOf<Type>,
    occurred_at?: string,
  ): Promise<RecordedEnd | undefined> {
    try {
      if ((await this.recordEvent(type, step, data, occurred_at)) || !this.isLean) return undefined;
    } catch (error) {
      if (!this.isLean || !isFailure(error, 'IllegalEvent')) throw error;
    }
    return this.findEnd();
  }

  /** Returns how the task ended, as the record has it; undefined if it has not ended. */
  async findEnd(): Promise<RecordedEnd | undefined> {
    const found = await record.findTaskEnd({ task_id: this.#input.task_id });
    if (!found) return undefined;
    const { outcome, dedupe_key: ending } = found;
    // An earlier try of this workflow recorded the failure. Its worker may have been lost right after that.
    const isOwnFailure = outcome.kind === 'failed' && ending === this.prefix + ENDED;
    if (isOwnFailure && patched('dead-letters-a-failure-it-finds')) await this.recordDeadLetter(outcome);
    return { outcome, ending };
  }

  /** Makes a task that failed a dead letter. */
  async recordDeadLetter({ error, attempts }: Extract<TaskOutcome, { kind: 'failed' }>): Promise<void> {
    await this.recordEvent('task_dead_lettered', 'dead_lettered', { reason: reasonOf(error), attempts });
  }

  /** Says whether an attempt has started, as the record has it. */
  hasStarted(attempt: number): Promise<boolean> {
    return record.hasTaskStarted({ task_id: this.#input.task_id, attempt: `${this.prefix}attempt:${attempt}:` });
  }

  /** Number of the last event that the workflow knows of. */
  get lastSeq(): number {
    return this.#journal.expected.after_seq ?? 0;
  }

  /** The data that an attempt needs to record events itself; undefined if the workflow started under an earlier version. */
  get ownRecord(): OwnRecord | undefined {
    if (!this.isLean) return undefined;
    const { expected } = this.#journal;
    if (this.#hasBegun || this.#first.type !== 'task_queued') return { expected };
    const { args: _args, kwargs: _kwargs, ...data } = this.#first.data;
    return { expected, queued: { ...this.#first, data } };
  }

  /** Makes sure that the success of an attempt is recorded. Returns at once if the attempt has recorded it. */
  recordSuccess({ result, recorded }: Extract<Worked, { result: unknown }>): RecordedEnd | Promise<RecordedEnd> {
    const end: RecordedEnd = { outcome: { kind: 'succeeded', result }, ending: this.prefix + ENDED };
    if (recorded) {
      const { begun, ended_at, seq, targets } = recorded;
      for (const event of begun) this.#journal.remember(event, seq);
      this.#hasBegun = true;
      if (targets) {
        const event = { type: 'task_succeeded', data: { result }, occurred_at: ended_at } as const;
        this.#journal.remember({ ...event, dedupe_key: end.ending });
        return { ...end, targets };
      }
    }
    const recording = this.recordUnlessEnded('task_succeeded', ENDED, { result }, recorded?.ended_at);
    return recording.then((ended) => ended ?? end);
  }

  /** Records again everything that the workflow knows of, if the record has lost some of it. */
  tellAgain(): Promise<void> {
    return this.#journal.tellAgain();
  }

  /** Waits until that is done, before the workflow ends. */
  finish(): Promise<void> {
    return this.#journal.finish();
  }
}

/** Returns why a task failed, in one line. */
export function reasonOf({ type, message }: TaskError): string {
  return `${type}: ${message}`;
}

function openJournal(input: TaskInput, isLean: boolean) {
  const { task_id, workflow_id, created_at, continued } = input;
  return new Journal<TaskEvent, Awaited<ReturnType<typeof record.appendTaskEvent>>>({
    owner: { workflow_id, created_at },
    ...(continued && { afterSeq: continued.after_seq }),
    append(event, { owner, ...expected }, follower) {
      // Temporal may have forgotten another task that had this id. The response to the first event says so.
      const owned = event.dedupe_key === 'queued' ? {} : { owner };
      return record.appendTaskEvent({ task_id, event, ...expected, ...owned, ...(follower && { follower }) });
    },
    first: taskQueuedEvent(input),
    bridgeTo: ({ type, dedupe_key }) =>
      type === 'task_redriven' ? taskEndLostEvent({ by: 'workflow', ...recovered(`before:${dedupe_key}`) }) : undefined,
    // Events that this workflow had not recorded yet were never lost.
    marker: (lostAfter) => (isLean && lostAfter === 0 ? undefined : { type: 'task_recovered', ...setBack(lostAfter) }),
  });
}
