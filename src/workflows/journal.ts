import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  log,
  patched,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { ExpectedStream, StreamOwner } from '../domain/record/stream-fault.ts';
import { tellAgainSignal } from './messages.ts';

interface Told {
  type: string;
  dedupe_key: string;
}

interface Standing {
  /** Number of the event in its stream; workers of an earlier version leave it out. */
  seq?: number;
  repeated?: boolean;
}

/** How the events of one build or task are appended, and which events are added if the record has lost some. */
export interface JournalOptions<Event extends Told, Answer extends Standing> {
  owner: StreamOwner;
  /** Number of the last event that an earlier run of the workflow knew of; default: 0. */
  afterSeq?: number;
  append(event: Event, expected: ExpectedStream, follower?: Event): Promise<Answer>;
  /** The first event of the stream, whichever workflow recorded it first. */
  first: Event;
  /** Returns the event that goes before one that starts the build or task again, if the record lost the end before that. */
  bridgeTo(event: Event): Event | undefined;
  /**
   * Returns the event that says that events were lost and recorded again. It goes after the first of them. Undefined if nothing needs
   * to be said.
   */
  marker(lostAfter: number): Event | undefined;
}

/**
 * The events that a workflow has recorded. If the database is set back to an earlier state, the workflow records all of them again.
 * Events that the record still has change nothing.
 */
export class Journal<Event extends Told, Answer extends Standing> {
  readonly #options: JournalOptions<Event, Answer>;
  readonly #told: Event[] = [];
  #afterSeq = 0;
  #tellingAgain: Promise<void> | undefined;

  constructor(options: JournalOptions<Event, Answer>) {
    this.#options = options;
    this.#afterSeq = options.afterSeq ?? 0;
  }

  /** The state that the stream must have for another event of this workflow. */
  get expected(): ExpectedStream {
    return { owner: this.#options.owner, after_seq: this.#afterSeq };
  }

  /** Records an event, behind everything that is being recorded again. */
  async tell(event: Event): Promise<Answer> {
    for (;;) {
      if (this.#tellingAgain && patched('tells-behind-what-it-tells-again')) await this.#tellingAgain.catch(() => {});
      try {
        const answer = await this.#options.append(event, this.expected);
        this.remember(event);
        this.#saw(answer);
        return answer;
      } catch (error) {
        if (!isFailure(error, 'RecordSetBack')) throw error;
        await this.tellAgain();
      }
    }
  }

  /** Notes an event that an activity recorded for this workflow. @param seq its number in the stream, or that of a later one. */
  remember(event: Event, seq?: number): void {
    if (!this.hasTold(event.dedupe_key)) this.#told.push(event);
    this.#saw({ seq });
  }

  /** Says whether this workflow has recorded an event. */
  hasTold(dedupeKey: string): boolean {
    return this.#told.some(({ dedupe_key }) => dedupe_key === dedupeKey);
  }

  /** Records everything again. */
  tellAgain(): Promise<void> {
    this.#tellingAgain ??= this.#tellAll().finally(() => {
      this.#tellingAgain = undefined;
    });
    return this.#tellingAgain;
  }

  /**
   * Records everything again before the workflow ends, if it is still doing so: what was recorded meanwhile may not be among it, and a
   * workflow that has ended records nothing.
   */
  async finish(): Promise<void> {
    if (!this.#tellingAgain || !patched('tells-all-before-its-end')) return;
    await this.#tellingAgain;
    await this.tellAgain();
  }

  async #tellAll(): Promise<void> {
    const lostAfter = this.#afterSeq;
    for (;;) {
      try {
        return await this.#tellAllAfter(lostAfter);
      } catch (error) {
        // The database was set back once more: events that were recorded again may be lost as well.
        if (!isFailure(error, 'RecordSetBack')) throw error;
      }
    }
  }

  async #tellAllAfter(lostAfter: number): Promise<void> {
    const { first, marker } = this.#options;
    this.#afterSeq = 0;
    const said = marker(lostAfter);
    // Only appending an event shows whether it was lost, and a worker that dies afterwards forgets it.
    const follower = patched('loss-with-its-event') ? said : undefined;
    let lost = false;
    for (const event of [first, ...this.#told.filter(({ dedupe_key }) => dedupe_key !== first.dedupe_key)]) {
      const answer = await this.#tellOne(event, follower);
      lost ||= answer !== undefined && !answer.repeated;
    }
    if (lost && said && !follower) await this.#append(said);
  }

  /** Records an event again. Returns undefined if it cannot follow what the record holds now. */
  async #tellOne(event: Event, follower: Event | undefined): Promise<Answer | undefined> {
    try {
      return await this.#append(event, follower);
    } catch (error) {
      if (!isFailure(error, 'IllegalEvent', 'Conflict')) throw error;
    }
    const bridge = this.#options.bridgeTo(event);
    if (!bridge) return undefined;
    await this.#append(bridge);
    return this.#append(event, follower);
  }

  async #append(event: Event, follower?: Event): Promise<Answer> {
    const answer = await this.#options.append(event, { owner: this.#options.owner }, follower);
    this.#saw(answer);
    return answer;
  }

  #saw({ seq = 0 }: { seq?: number | undefined }): void {
    this.#afterSeq = Math.max(this.#afterSeq, seq);
  }
}

/** Lets a signal record everything again. All of it is recorded, even if the workflow is cancelled meanwhile. */
export function onTellAgain(tellAgain: () => Promise<void>): void {
  setHandler(tellAgainSignal, async () => {
    await CancellationScope.nonCancellable(tellAgain).catch((error: unknown) =>
      log.warn('the events could not be told again', { error }),
    );
  });
}

/** Returns the time and key of the event by which a workflow says that events were lost. @param step names what was lost. */
export function recovered(step: string): { occurred_at: string; dedupe_key: string } {
  return { occurred_at: new Date().toISOString(), dedupe_key: `recovered:${workflowInfo().runId}:${step}` };
}

/** Returns what a {@link JournalOptions.marker} says, except its type. */
export function setBack(lostAfter: number) {
  const detail = `the record had lost events before its number ${lostAfter + 1}`;
  return { data: { reason: 'record_set_back', by: 'workflow', detail }, ...recovered(`${lostAfter}`) } as const;
}

/** Says whether an activity failed with a failure of one of these types. */
export function isFailure(error: unknown, ...types: string[]): boolean {
  const cause = causeOf(error);
  return cause instanceof ApplicationFailure && types.includes(cause.type ?? '');
}

/** Returns why an activity failed; other errors unchanged. */
export function causeOf(error: unknown): unknown {
  return error instanceof ActivityFailure ? error.cause : error;
}
