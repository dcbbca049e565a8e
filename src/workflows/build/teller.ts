import { CancellationScope, condition, log, setHandler, workflowInfo } from '@temporalio/workflow';
import type { BuildInput } from '../../contracts/builds/build-workflow.ts';
import type { BuildEvent, BuildEventType } from '../../contracts/builds/event.ts';
import { buildEndLostEvent, buildQueuedEvent } from '../../domain/record/first-events.ts';
import type { ExpectedStream } from '../../domain/record/stream-fault.ts';
import { record } from '../activities.ts';
import { Journal } from '../journal.ts';
import { tellAgainSignal } from '../messages.ts';
import type { RecordedEnd } from '../ports/record.ts';

type DataOf<Type extends BuildEventType> = Extract<BuildEvent, { type: Type }>['data'];

/**
 * Tells an event of the build to the record and answers with the data that stands there. `step` names the point of the
 * workflow, so that telling it again after a reset or a crash is telling it once.
 */
export interface Tell {
  <Type extends BuildEventType>(
    type: Type,
    step: string,
    data: DataOf<Type>,
    occurredAt?: string,
  ): Promise<DataOf<Type>>;

  /** Whether the record has that event; it may be from a past that Temporal lost. */
  isTold(step: string): Promise<boolean>;
}

/** How long the answer to the telling of an end may take. */
const END_SETTLES_MS = 60_000;

/** What the workflow of a build has told the record. */
export interface BuildJournal {
  /** The teller of the build. @param prefix sets the steps of a retry apart from those before it. */
  teller(prefix?: string): Tell;
  /** Notes that an activity told the record that the build began. */
  rememberStart(dedupeKey: string): void;
  /** What the stream must be like for another event of this workflow. */
  readonly expected: ExpectedStream;
  tellAgain(): Promise<void>;
  /** Resolves where the record turns out to have an end that this workflow knows nothing of: Temporal was set back to before it. */
  readonly overtaken: Promise<RecordedEnd>;
}

/** Opens the journal of a build; a signal has it told again. */
export function openBuildJournal(input: BuildInput): BuildJournal {
  const { build_id, workflow_id, created_at } = input;
  const journal = new Journal<BuildEvent, Awaited<ReturnType<typeof record.appendBuildEvent>>>({
    owner: { workflow_id, created_at },
    append: (event, expected) => record.appendBuildEvent({ build_id, event, ...expected }),
    first: buildQueuedEvent(input),
    bridgeTo: ({ type, dedupe_key }) =>
      type === 'build_retried' || type === 'build_reopened'
        ? buildEndLostEvent(input.resume?.run ?? input.reopen?.run ?? null, {
            by: 'workflow',
            ...recovered(`before:${dedupe_key}`),
          })
        : undefined,
    marker: (lostAfter) => ({
      type: 'build_recovered',
      data: {
        reason: 'record_set_back',
        by: 'workflow',
        detail: `the record had lost events before its number ${lostAfter + 1}`,
      },
      ...recovered(`${lostAfter}`),
    }),
  });
  let overtake: (end: RecordedEnd) => void;
  const overtaken = new Promise<RecordedEnd>((resolve) => {
    overtake = resolve;
  });
  const tellAll = async () => {
    await journal.tellAgain();
    const end = await record.findBuildEnd({ build_id });
    if (end && !(await condition(() => journal.hasTold(end.dedupe_key), END_SETTLES_MS))) overtake(end);
  };
  setHandler(tellAgainSignal, async () => {
    await CancellationScope.nonCancellable(tellAll).catch((error: unknown) =>
      log.warn('the events could not be told again', { error }),
    );
  });
  return {
    teller(prefix = '') {
      const tell = async <Type extends BuildEventType>(
        type: Type,
        step: string,
        data: DataOf<Type>,
        occurredAt = now(),
      ) => {
        const event = { type, data, occurred_at: occurredAt, dedupe_key: prefix + step } as BuildEvent;
        const standing = await journal.tell(event);
        return standing.data as DataOf<Type>;
      };
      return Object.assign(tell, { isTold: (step: string) => record.isTold({ build_id, dedupe_key: prefix + step }) });
    },
    rememberStart(dedupe_key) {
      journal.remember({ type: 'build_started', data: {}, occurred_at: now(), dedupe_key });
    },
    get expected() {
      return journal.expected;
    },
    tellAgain: () => journal.tellAgain(),
    overtaken,
  };
}

/** When and under what key the workflow says that events were lost. */
function recovered(step: string): Pick<BuildEvent, 'occurred_at' | 'dedupe_key'> {
  return { occurred_at: now(), dedupe_key: `recovered:${workflowInfo().runId}:${step}` };
}

/** The workflow's time, ISO 8601. */
function now(): string {
  return new Date().toISOString();
}
