import { randomUUID } from 'node:crypto';
import type { Recovery } from '../../contracts/builds/build-workflow.ts';
import type { RecordedEvent, ToldEvent } from '../../contracts/builds/event.ts';
import { IllegalEvent } from '../../domain/record/illegal-event.ts';
import type { Db } from '../../store/database.ts';
import type { Ending } from '../../store/endings/ending-list.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { findStream } from '../../store/record/stream-find.ts';
import { endAbandoned, type Step } from '../lifecycle/end-abandoned.ts';
import type { Kind, Subject, SubjectInput } from '../lifecycle/kind.ts';
import type { Ended, Outcome, ReconcileDependencies } from './reconcile.ts';
import { type Execution, inputOfExecution } from './workflows.ts';

/** The end of a build or task, to be recorded for a workflow that did not record it. */
export interface End<Event extends ToldEvent> {
  event: Omit<Step<Event>, 'key'>;
  /** What became of the workflow, for people. */
  detail: string;
  /** Whether somebody has to decide what comes next. */
  isDeadLetter: boolean;
}

/** What recovering needs to know of builds or tasks. */
export interface Recoverable<State extends Subject, Event extends ToldEvent, Input extends SubjectInput>
  extends Kind<State, Event, Input> {
  listOpen(db: Db): AsyncIterable<Ending<State['id']>>;
  findEndings(db: Db, ids: State['id'][]): Promise<Array<Ending<State['id']>>>;
  idFrom(text: string): State['id'];
  /** Input of a workflow that takes the place of a lost one. */
  inputInPlace(deps: ReconcileDependencies, state: State, events: RecordedEvent[], recovery: Recovery): Promise<Input>;
  recoveredEvent(recovery: Recovery): Event;
  /** The end where an equal request runs in place of the lost workflow; undefined: there is no other request with its workflow id. */
  endWhereTaken?(state: State): End<Event>;
  /** The end by what Temporal knows of the workflow; undefined where the workflow closed without leading to an end. */
  endOf(ended: Ended, state: State): End<Event> | undefined;
  /** What sets an end apart from those before the subject was begun again. */
  lifeOf(state: State): string | number;
  /** Names the event that ends it. */
  endKey: string;
  attemptsOf(state: State): number;
  /** The event that an input begins the subject with again; undefined where it begins for the first time. */
  restartEvent(input: Input, now: string): Event | undefined;
  /** Goes before that event where the record has lost the end before it. */
  endLostEvent(input: Input, lost: { by: 'reconciliation'; occurred_at: string; dedupe_key: string }): Event;
}

// biome-ignore lint/suspicious/noExplicitAny: what goes through both kinds knows the states and events of neither.
type AnyRecoverable = Recoverable<any, any, any>;

/**
 * Starts a workflow in place of the lost one of an open build or task. It begins again with what the record has: a dispatch that the
 * record intended is looked for and never sent again, and the work of a task begins again as after a lost worker.
 */
export async function resume(
  deps: ReconcileDependencies,
  kind: AnyRecoverable,
  id: number | string,
  detail: string,
): Promise<Outcome> {
  const found = await findStream(deps.db, kind.stream, id);
  if (!found || found.state.completed_at !== null) return 'agrees';
  const recovery: Recovery = { id: randomUUID(), at: new Date().toISOString(), detail };
  const input = await kind.inputInPlace(deps, found.state, found.events, recovery);
  if (!(await kind.start(deps, input, 'ALLOW_DUPLICATE'))) {
    return kind.endWhereTaken ? end(deps, kind, found.state, kind.endWhereTaken(found.state)) : 'unknown';
  }
  await appendEvent(deps.db, kind.stream, id, kind.recoveredEvent(recovery));
  return 'resumed';
}

/** Records the end of an open build or task whose workflow has ended. */
export async function endAs(
  deps: ReconcileDependencies,
  kind: AnyRecoverable,
  id: number | string,
  ended: Ended,
): Promise<Outcome> {
  const found = await findStream(deps.db, kind.stream, id);
  if (!found || found.state.completed_at !== null) return 'agrees';
  const known = kind.endOf(ended, found.state);
  // Of two that were started to begin it again, one ends so; the build or task goes on without a workflow.
  if (!known) return resume(deps, kind, id, 'its workflow had ended before it did');
  return end(deps, kind, found.state, known);
}

async function end(
  deps: ReconcileDependencies,
  kind: AnyRecoverable,
  state: Subject,
  { event, detail, isDeadLetter }: End<ToldEvent>,
): Promise<Outcome> {
  const { name } = kind.stream;
  const recovered = { reason: 'workflow_ended', by: 'reconciliation', detail };
  const dead = { reason: detail, attempts: kind.attemptsOf(state) };
  await endAbandoned(deps, kind.stream, state.id, `unled:${kind.lifeOf(state)}:`, {
    before: [{ key: 'recovered', type: `${name}_recovered`, data: recovered }],
    ending: { ...event, key: kind.endKey },
    after: isDeadLetter ? [{ key: 'dead_lettered', type: `${name}_dead_lettered`, data: dead }] : [],
  });
  return isDeadLetter ? 'dead_lettered' : 'ended';
}

/** Brings back into the record what it lost of a build or task that has ended since. */
export async function restore(
  deps: ReconcileDependencies,
  kind: AnyRecoverable,
  execution: Execution,
  ended: () => Promise<Ended>,
): Promise<Outcome> {
  const input = (await inputOfExecution(deps.client, execution)) as SubjectInput;
  const id = kind.idOf(input as never);
  const { workflow_id, created_at } = input;
  const append = (event: ToldEvent) =>
    appendEvent(deps.db, kind.stream, id, event, { owner: { workflow_id, created_at } });
  await append(kind.firstEvent(input));
  const now = new Date().toISOString();
  const restarted = kind.restartEvent(input, now);
  if (restarted) {
    try {
      await append(restarted);
    } catch (error) {
      if (!(error instanceof IllegalEvent)) throw error;
      const dedupe_key = `recovered:${execution.run_id}:before`;
      await append(kind.endLostEvent(input, { by: 'reconciliation', occurred_at: now, dedupe_key }));
      await append(restarted);
    }
  }
  const outcome = await endAs(deps, kind, id, await ended());
  return outcome === 'ended' ? 'restored' : outcome;
}
