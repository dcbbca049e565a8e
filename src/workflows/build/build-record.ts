import { condition } from '@temporalio/workflow';
import type { BuildInput } from '../../contracts/builds/build-workflow.ts';
import type { BuildEvent, BuildEventType } from '../../contracts/builds/event.ts';
import { buildEndLostEvent, buildQueuedEvent, buildRecoveredEvent } from '../../domain/record/first-events.ts';
import type { ExpectedStream } from '../../domain/record/stream-fault.ts';
import { record } from '../activities.ts';
import { Journal, onTellAgain, recovered, setBack } from '../journal.ts';
import type { RecordedEnd } from '../ports/record.ts';

type DataOf<Type extends BuildEventType> = Extract<BuildEvent, { type: Type }>['data'];

/**
 * Records an event of the build and returns the data that the record has at this step. `step` names the point of the
 * workflow, so that recording it again after a reset or a crash changes nothing.
 */
export interface RecordEvent {
  <Type extends BuildEventType>(
    type: Type,
    step: string,
    data: DataOf<Type>,
    occurredAt?: string,
  ): Promise<DataOf<Type>>;

  /** Says whether the record has that event; it may be from a past that Temporal lost. */
  isRecorded(step: string): Promise<boolean>;
}

/** How long the response to recording an end may take, in milliseconds. */
const END_SETTLES_MS = 60_000;

/** The events that a build's workflow records. */
export class BuildRecord {
  readonly #input: BuildInput;
  readonly #journal: Journal<BuildEvent, Awaited<ReturnType<typeof record.appendBuildEvent>>>;
  /** Resolves if the record has an end that this workflow does not know: Temporal was set back to before it. */
  readonly overtaken: Promise<RecordedEnd>;

  /** Listens to the signal that records everything again. */
  constructor(input: BuildInput) {
    this.#input = input;
    this.#journal = openJournal(input);
    this.overtaken = new Promise((overtake) => {
      onTellAgain(() => this.#recordAllAgain(overtake));
    });
  }

  /** Returns a function that records events under a prefix. @param prefix tells the steps of a retry from earlier ones. */
  under(prefix: string): RecordEvent {
    const recordEvent = async <Type extends BuildEventType>(
      type: Type,
      step: string,
      data: DataOf<Type>,
      occurredAt = now(),
    ) => {
      const event = { type, data, occurred_at: occurredAt, dedupe_key: prefix + step } as BuildEvent;
      return (await this.#journal.tell(event)).data as DataOf<Type>;
    };
    const { build_id } = this.#input;
    const isRecorded = (step: string) => record.isTold({ build_id, dedupe_key: prefix + step });
    return Object.assign(recordEvent, { isRecorded });
  }

  /** Records that this workflow replaces one that Temporal lost, if it does. */
  async recordRecovery(): Promise<void> {
    const { recovery } = this.#input;
    if (recovery) await this.#journal.tell(buildRecoveredEvent(recovery));
  }

  /** Notes that an activity recorded the start of the build. */
  rememberStart(dedupe_key: string): void {
    this.#journal.remember({ type: 'build_started', data: {}, occurred_at: now(), dedupe_key });
  }

  /** The state that the stream must have for another event of this workflow. */
  get expected(): ExpectedStream {
    return this.#journal.expected;
  }

  /** Records again the events that the record has lost. */
  recordAgain(): Promise<void> {
    return this.#journal.tellAgain();
  }

  /** Waits until that is done, before the workflow ends. */
  finish(): Promise<void> {
    return this.#journal.finish();
  }

  async #recordAllAgain(overtake: (end: RecordedEnd) => void): Promise<void> {
    await this.recordAgain();
    const end = await record.findBuildEnd({ build_id: this.#input.build_id });
    if (end && !(await condition(() => this.#journal.hasTold(end.dedupe_key), END_SETTLES_MS))) overtake(end);
  }
}

function openJournal(input: BuildInput) {
  const { build_id, workflow_id, created_at } = input;
  return new Journal<BuildEvent, Awaited<ReturnType<typeof record.appendBuildEvent>>>({
    owner: { workflow_id, created_at },
    append: (event, expected, follower) =>
      record.appendBuildEvent({ build_id, event, ...expected, ...(follower && { follower }) }),
    first: buildQueuedEvent(input),
    bridgeTo: ({ type, dedupe_key }) =>
      type === 'build_retried' || type === 'build_reopened'
        ? buildEndLostEvent(input.resume?.run ?? input.reopen?.run ?? null, {
            by: 'workflow',
            ...recovered(`before:${dedupe_key}`),
          })
        : undefined,
    marker: (lostAfter) => ({ type: 'build_recovered', ...setBack(lostAfter) }),
  });
}

/** Returns the workflow's time, ISO 8601. */
function now(): string {
  return new Date().toISOString();
}
