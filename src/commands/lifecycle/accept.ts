import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { BuildMemo } from '../../contracts/builds/build-workflow.ts';
import type { ToldEvent } from '../../contracts/builds/event.ts';
import type { CallbackTarget } from '../../contracts/endings/callback-workflow.ts';
import type { TaskMemo } from '../../contracts/tasks/task-workflow.ts';
import type { Db } from '../../store/database.ts';
import { saveCallbackTarget } from '../../store/endings/callback-target-save.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { streamOf } from '../../store/record/stream-kind.ts';
import { addCallback } from '../callbacks/add-callback.ts';
import type { Refusal } from '../refusal.ts';
import { describeHolder } from './describe-holder.ts';
import type { Kind, Subject, SubjectInput } from './kind.ts';
import { CLOSING_WAIT_MS, stillClosing } from './restart.ts';
import { callbackMemo, type Reuse, STATUS, type StartDependencies } from './start-workflow.ts';

export interface AcceptDependencies extends StartDependencies {
  db: Db;
  log: Logger;
}

/** What an accepted request made, now or earlier. */
export interface Accepted<State extends Subject> {
  id: State['id'];
  status: State['status'];
  /** Whether it existed before this request. */
  replayed: boolean;
}

/** What an equal request made before. */
export type Existing<State extends Subject> = Pick<State, 'id' | 'status' | 'fingerprint'> & {
  callback_digest?: string | undefined;
};

/** How long to wait for the record when Temporal can answer too, and before the client gets its response. */
const RECORD_WAIT_MS = 1_000;

/**
 * Starts the workflow of a build or task, unless its workflow id is taken; Temporal alone decides that. Then records its
 * first event, so that a GET shows it. If the database is away or slow, the workflow records the same event later.
 * @returns what holds the workflow id, if it is taken.
 * @throws {Refusal} as {@link startUnlessTaken}.
 */
export async function accept<State extends Subject, Event extends ToldEvent, Input extends SubjectInput>(
  deps: AcceptDependencies,
  kind: Kind<State, Event, Input>,
  input: Input,
  reuse: Reuse,
): Promise<Existing<State> | undefined> {
  const existing = await startUnlessTaken(deps, kind, input, reuse);
  if (existing) return existing;
  const recording = recordFirst(deps.db, kind, input).catch((err: unknown) =>
    deps.log.warn(
      { err, subject: streamOf(kind.stream, kind.idOf(input as never)) },
      'accepted; its record will follow',
    ),
  );
  await withinRecordWait(recording);
  return undefined;
}

/**
 * Starts the workflow of a build or task; returns what holds the workflow id, if it is taken.
 * @throws {Refusal} if Temporal did not accept the start, or what holds the id has ended without success and does not close.
 */
export async function startUnlessTaken<State extends Subject, Event extends ToldEvent, Input extends SubjectInput>(
  deps: AcceptDependencies,
  kind: Kind<State, Event, Input>,
  input: Input,
  reuse: Reuse,
): Promise<Existing<State> | undefined> {
  const giveUp = Date.now() + CLOSING_WAIT_MS;
  while (!(await kind.start(deps, input, reuse))) {
    const existing = await describeExisting(deps, kind, input.workflow_id);
    // After an end without success, the workflow is about to close. Then an equal request may start a new one.
    const isClosing = reuse === 'ALLOW_DUPLICATE' && UNSUCCESSFUL.has(existing.status);
    if (!isClosing) return existing;
    // A replay would say that the request is accepted, with a build that failed before.
    if (Date.now() > giveUp) {
      throw stillClosing(`${kind.stream.name} ${existing.id}`, 'send the same request again for a new one');
    }
    await delay(20);
  }
  return undefined;
}

const UNSUCCESSFUL: ReadonlySet<string> = new Set(['failure', 'cancelled']);

/**
 * Answers an equal request with what the first one made. Saves a further callback URL for it.
 * @param request.otherwise the refusal if none of the fingerprints is equal; undefined accepts any.
 */
export async function replay<State extends Subject, Event extends ToldEvent, Input extends SubjectInput>(
  deps: AcceptDependencies,
  { stream }: Kind<State, Event, Input>,
  { id, status, fingerprint, callback_digest }: Existing<State>,
  request: {
    fingerprints: ReadonlyArray<string | undefined>;
    otherwise: Refusal | undefined;
    callback: CallbackTarget | undefined;
  },
): Promise<Accepted<State>> {
  const { fingerprints, otherwise, callback } = request;
  if (otherwise && !fingerprints.includes(fingerprint)) throw otherwise;
  if (callback && callback_digest !== callbackMemo(callback).callback_digest) {
    await addCallback(deps, streamOf(stream, id), callback);
  }
  return { id, status, replayed: true };
}

/** Returns what the record already knows. Also undefined if the database is away or slow, since Temporal decides anyway. */
export function knownSoon<Known>(reading: Promise<Known | undefined>): Promise<Known | undefined> {
  return withinRecordWait(reading.catch(() => undefined));
}

/** Resolves to undefined if the work takes too long. The work itself goes on. */
function withinRecordWait<T>(working: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    // Ends with the work: a leftover timer would wake the process once for each trigger.
    const timer = setTimeout(resolve, RECORD_WAIT_MS, undefined);
    working.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Describes the build or task that holds a workflow id, as Temporal knows it. */
async function describeExisting<State extends Subject, Event extends ToldEvent, Input extends SubjectInput>(
  deps: AcceptDependencies,
  kind: Kind<State, Event, Input>,
  workflowId: string,
): Promise<Existing<State>> {
  const { id, described } = await describeHolder(deps, kind, workflowId);
  const memo = described.memo as unknown as BuildMemo & TaskMemo;
  const recorded = await knownSoon(kind.find(deps.db, id));
  const status: State['status'] = recorded?.status ?? described.typedSearchAttributes.get(STATUS) ?? kind.firstStatus;
  return { id, status, fingerprint: memo.fingerprint, callback_digest: memo.callback_digest };
}

async function recordFirst<State extends Subject, Event extends ToldEvent, Input extends SubjectInput>(
  db: Db,
  { stream, idOf, firstEvent }: Kind<State, Event, Input>,
  input: Input,
): Promise<void> {
  const id = idOf(input as never);
  // Before the event: if a restart finds the subject in the record, it finds the URL too.
  if (input.callback) await saveCallbackTarget(db, streamOf(stream, id), input.callback.url);
  const { workflow_id, created_at } = input;
  await appendEvent(db, stream, id, firstEvent(input), { owner: { workflow_id, created_at } });
}
