import { randomUUID } from 'node:crypto';
import type { Recovery } from '../../contracts/builds/build-workflow.ts';
import type { RecordedEvent, ToldEvent } from '../../contracts/builds/event.ts';
import { ANNOUNCED_ENDS } from '../../contracts/endings/announced-end.ts';
import { IllegalEvent } from '../../domain/record/illegal-event.ts';
import { StreamWentOn } from '../../domain/record/stream-fault.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { findStream } from '../../store/record/stream-find.ts';
import { endAbandoned, type Step } from '../lifecycle/end-abandoned.ts';
import { type Execution, findExecution, inputOfExecution } from '../lifecycle/executions.ts';
import type { Kind, Subject, SubjectInput } from '../lifecycle/kind.ts';
import type { Ended, Outcome, ReconcileDependencies, RecoverDependencies } from './reconcile.ts';

/** The end of a build or task, to be recorded for a workflow that did not record it. */
export interface End<Event extends ToldEvent> {
  event: Omit<Step<Event>, 'key'>;
  /** What became of the workflow, in words for people. */
  detail: string;
  /** Whether somebody has to decide how to go on. */
  isDeadLetter: boolean;
}

/** What a recovery needs to know about builds or tasks. */
export interface Recoverable<State extends Subject, Event extends ToldEvent, Input extends SubjectInput>
  extends Kind<State, Event, Input> {
  idFrom(text: string): State['id'];
  /** Returns the input for a workflow that replaces a lost one. */
  inputInPlace(deps: RecoverDependencies, state: State, events: RecordedEvent[], recovery: Recovery): Promise<Input>;
  recoveredEvent(recovery: Recovery): Event;
  /** Returns the end if an equal request runs in place of the lost workflow. Undefined if no other request can have its workflow id. */
  endWhereTaken?(state: State): End<Event>;
  /** Returns the end that Temporal knows; undefined if the workflow closed without bringing the subject to an end. */
  endOf(ended: Ended, state: State): End<Event> | undefined;
  /** Returns a value that changes each time the subject is begun again. */
  lifeOf(state: State): string | number;
  /** The key of the event that ends it. */
  endKey: string;
  attemptsOf(state: State): number;
  /** Returns the event with which an input begins the subject again; undefined if it begins for the first time. */
  restartEvent(input: Input, now: string): Event | undefined;
  /** Returns the event that goes before that one if the record has lost the previous end. */
  endLostEvent(input: Input, lost: { by: 'reconciliation'; occurred_at: string; dedupe_key: string }): Event;
}

// biome-ignore lint/suspicious/noExplicitAny: what goes through both kinds knows the states and events of neither.
type AnyRecoverable = Recoverable<any, any, any>;

/**
 * Starts a workflow in place of the lost one of an open build or task. It begins again with what the record has. It looks for
 * a dispatch that the record intended, and never sends it again. The work of a task begins again, as after a lost worker.
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
    const holder = await findExecution(deps.client, input.workflow_id);
    // Another comparison has just started it.
    if (holder?.id === String(id)) return 'agrees';
    return holder && kind.endWhereTaken ? end(deps, kind, found, kind.endWhereTaken(found.state)) : 'unknown';
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
  // If two workflows were started to restart it, one of them ends like this. The build or task then has no workflow.
  if (!known) return resume(deps, kind, id, 'its workflow had ended before it did');
  return end(deps, kind, found, known);
}

async function end(
  deps: ReconcileDependencies,
  kind: AnyRecoverable,
  { state, events }: { state: Subject; events: RecordedEvent[] },
  { event, detail, isDeadLetter }: End<ToldEvent>,
): Promise<Outcome> {
  const { name } = kind.stream;
  const recovered = { reason: 'workflow_ended', by: 'reconciliation', detail };
  const dead = { reason: detail, attempts: kind.attemptsOf(state) };
  const steps = {
    before: [{ key: 'recovered', type: `${name}_recovered`, data: recovered }],
    ending: { ...event, key: kind.endKey },
    after: isDeadLetter ? [{ key: 'dead_lettered', type: `${name}_dead_lettered`, data: dead }] : [],
  };
  const expected = { after_seq: events.at(-1)!.seq, is_last: true };
  try {
    await endAbandoned(deps, kind.stream, state.id, `${ANNOUNCED_ENDS.unled}${kind.lifeOf(state)}:`, steps, expected);
  } catch (error) {
    // Somebody leads it, or has ended it. The next comparison sees which.
    if (error instanceof StreamWentOn) return 'agrees';
    throw error;
  }
  return isDeadLetter ? 'dead_lettered' : 'ended';
}

/** Restores what the record lost about a build or task that has ended since. */
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
