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
import type { Kind, Subject, SubjectInput } from './kind.ts';
import { CLOSING_WAIT_MS } from './restart.ts';
import { callbackMemo, type Reuse, STATUS, type StartDependencies, temporalFault } from './start-workflow.ts';

export interface AcceptDependencies extends StartDependencies {
  db: Db;
  log: Logger;
}

/** What an accepted request made, now or before. */
export interface Accepted<State extends Subject> {
  id: State['id'];
  status: State['status'];
  /** It existed before this request. */
  replayed: boolean;
}

/** What an equal request made before. */
export type Existing<State extends Subject> = Pick<State, 'id' | 'status' | 'fingerprint'> & {
  callback_digest?: string | undefined;
};

/** Longest wait for the record where Temporal can answer as well, and before the client gets its response. */
const RECORD_WAIT_MS = 1_000;

/**
 * Starts the workflow of a build or task, unless its workflow id is taken; Temporal alone decides that. Once it is started its first event
 * is recorded, so that a GET shows it; where the database is away or slow, the workflow records the same event later.
 * @returns what holds the workflow id, where it is taken.
 * @throws {Refusal} where Temporal did not take the start.
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
 * Starts the workflow of a build or task; what holds the workflow id, where it is taken.
 * @throws {Refusal} where Temporal did not take the start.
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
    // One that ended without success is about to close its workflow: then an equal request may start a new one.
    const isClosing = reuse === 'ALLOW_DUPLICATE' && UNSUCCESSFUL.has(existing.status);
    if (!isClosing || Date.now() > giveUp) return existing;
    await delay(20);
  }
  return undefined;
}

const UNSUCCESSFUL: ReadonlySet<string> = new Set(['failure', 'cancelled']);

/**
 * Answers an equal request with what the first one made. A further callback URL is kept for it.
 * @param otherwise why a request with another fingerprint than these is refused; undefined where any is equal.
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

/** What the record knows already. Undefined also if the database is away or slow, since Temporal decides anyway. */
export function knownSoon<Known>(reading: Promise<Known | undefined>): Promise<Known | undefined> {
  return withinRecordWait(reading.catch(() => undefined));
}

function withinRecordWait<T>(working: Promise<T>): Promise<T | undefined> {
  return Promise.race([working, delay(RECORD_WAIT_MS, undefined, { ref: false })]);
}

/** What Temporal knows of the build or task that holds a workflow id. */
async function describeExisting<State extends Subject, Event extends ToldEvent, Input extends SubjectInput>(
  { client, db }: AcceptDependencies,
  { find, idOf, firstStatus }: Kind<State, Event, Input>,
  workflowId: string,
): Promise<Existing<State>> {
  const described = await client.workflow
    .getHandle(workflowId)
    .describe()
    .catch((error: unknown) => {
      throw temporalFault(error);
    });
  const memo = described.memo as unknown as BuildMemo & TaskMemo;
  const id = idOf(memo);
  const recorded = await knownSoon(find(db, id));
  const status: State['status'] = recorded?.status ?? described.typedSearchAttributes.get(STATUS) ?? firstStatus;
  return { id, status, fingerprint: memo.fingerprint, callback_digest: memo.callback_digest };
}

async function recordFirst<State extends Subject, Event extends ToldEvent, Input extends SubjectInput>(
  db: Db,
  { stream, idOf, firstEvent }: Kind<State, Event, Input>,
  input: Input,
): Promise<void> {
  const id = idOf(input as never);
  // Before the event: whoever finds the subject in the record, to restart it, finds the URL too.
  if (input.callback) await saveCallbackTarget(db, streamOf(stream, id), input.callback.url);
  const { workflow_id, created_at } = input;
  await appendEvent(db, stream, id, firstEvent(input), { owner: { workflow_id, created_at } });
}
