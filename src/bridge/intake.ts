import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Delivery, MessageRefusal, Owed, TaskMessage } from '../contracts/celery/celery.ts';
import { endOf, hasFollowUps, owedFor, type Told, toldOfForgone } from '../domain/celery/celery-answer.ts';
import { forgone } from '../domain/celery/celery-follow-ups.ts';
import { followersOf, idOf, readTaskMessage } from '../domain/celery/celery-message.ts';
import { exceptionOfRefusal } from '../domain/celery/celery-result.ts';
import { Refused } from '../domain/celery/refused.ts';
import { canonicalJson, sha256 } from '../domain/record/hash.ts';
import { isOnceByNature, taskNameOf } from '../domain/tasks/task-request.ts';
import { type AnswerWays, bury, publishAnswer, publishResult, storeAnswer } from '../integrations/celery/answering.ts';
import { publicationOf } from '../integrations/celery/celery-publication.ts';
import { bodyText } from '../integrations/celery/message-body.ts';
import { NotPublished, type Verdict } from '../integrations/celery/rabbitmq.ts';
import { saveOwed } from '../store/celery/owed-save.ts';
import { settleUnnamedMessage } from '../store/celery/unnamed-message-settle.ts';
import { takeUnnamedMessage } from '../store/celery/unnamed-message-take.ts';
import { type Db, databaseFault } from '../store/database.ts';
import { findTaskEnding } from '../store/endings/task-ending-find.ts';
import type { BridgeMeter } from './meter.ts';
import type { Revocations } from './revocations.ts';
import { type TaskDoor, Unavailable } from './task-door.ts';

export interface IntakeDependencies {
  tasks: TaskDoor;
  ways: AnswerWays;
  revocations: Revocations;
  db: Db;
  /** How long an equal message without a task id asks for the same task, milliseconds. */
  dedupWindowMs: number;
  meter?: BridgeMeter | undefined;
  log: Logger;
}

/** Pauses while Temporal, the database or RabbitMQ is away: the message waits here, unacknowledged. */
const PAUSE_MS = { first: 200, longest: 5_000 } as const;

/** What goes wrong on our side may pass; after so many tries the message is put aside, so that others get their turn. */
const MOST_FAULTS = 3;

/** Long enough for a revocation to arrive before the work begins. */
const HEAD_START_MS = 10_000;

/**
 * Takes a message: it is acknowledged once its task is in Temporal, or it is among the dead letters with the reason. Until then it
 * stays RabbitMQ's, which delivers it again if we are lost; a task id makes a task once, so that does no harm.
 */
export async function takeDelivery(deps: IntakeDependencies, delivery: Delivery, lost: AbortSignal): Promise<Verdict> {
  let pause: number = PAUSE_MS.first;
  let faults = 0;
  while (!lost.aborted) {
    try {
      return await (faults < MOST_FAULTS ? take(deps, delivery) : putAside(deps, delivery));
    } catch (error) {
      const waits = isAway(error);
      if (!waits) faults += 1;
      deps.log[waits ? 'warn' : 'error']({ err: error, queue: delivery.queue }, 'a message waits to be taken');
      await delay(pause, undefined, { signal: lost }).catch(() => {});
      pause = Math.min(2 * pause, PAUSE_MS.longest);
    }
  }
  return { kind: 'requeue' };
}

async function take(deps: IntakeDependencies, delivery: Delivery): Promise<Verdict> {
  let text: string | undefined;
  try {
    text = bodyText(delivery);
    return await begin(deps, delivery, readTaskMessage(delivery, text));
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) throw error;
    return refuse(deps, delivery, refusal, text);
  }
}

function putAside(deps: IntakeDependencies, delivery: Delivery): Promise<Verdict> {
  return refuse(
    deps,
    delivery,
    { code: 'internal', detail: 'something went wrong on our side; see the log' },
    undefined,
  );
}

async function begin(deps: IntakeDependencies, delivery: Delivery, message: TaskMessage): Promise<Verdict> {
  const { db, tasks, ways, revocations, meter, log } = deps;
  const owed = owedFor(message);
  const answered = ways.results !== undefined || owed.reply_to !== '' || hasFollowUps(owed.follow_ups);
  const given = message.task_id;
  const unnamed = given === null && !isOnceByNature(taskNameOf(message.task)) ? fingerprintOf(delivery) : undefined;

  // Revoked before it came: it is on record, and is never worked at. Nobody knows the id of a message without one before it comes, so
  // only a revocation from now on means it: a video that was revoked is begun again when it is asked for again.
  const since = given === null ? Date.now() : 0;
  const revoked = given !== null && revocations.has(given);
  const eta = revoked ? new Date(Date.now() + HEAD_START_MS).toISOString() : message.eta;
  const asked = given ?? (unnamed === undefined ? undefined : await idForUnnamed(deps, delivery, unnamed));
  const { id, repeated } = await tasks.start(asked, { ...message, eta }, answered);
  // Asked again: the revocation may have come while the task was started, and found nothing to revoke.
  if (revocations.has(id, since)) await tasks.revoke(id, false);

  if (answered) await owe(deps, id, owed);
  meter?.messageTaken(delivery.queue, repeated ? 'repeated' : 'started');
  log.debug({ task_id: id, task: message.task, queue: delivery.queue, repeated }, 'message taken');
  return unnamed === undefined ? { kind: 'ack' } : { kind: 'ack', afterwards: () => settleUnnamedMessage(db, unnamed) };
}

/** Keeps what is owed until the task ends; a task that has ended already, long ago or just now, is answered at once. */
async function owe({ db, ways, log }: IntakeDependencies, taskId: string, owed: Owed): Promise<void> {
  await saveOwed(db, taskId, owed);
  const event = await findTaskEnding(db, taskId);
  if (!event) return;
  const ending = { task_id: taskId, ended_at: event.occurred_at, end: endOf(event) };
  await publishAnswer(ways, owed, ending);
  await storeAnswer(ways, owed, ending).catch((err: unknown) =>
    log.warn({ err, task_id: taskId }, 'Redis was not told'),
  );
}

function idForUnnamed({ db, dedupWindowMs }: IntakeDependencies, { redelivered }: Delivery, fingerprint: string) {
  return takeUnnamedMessage(db, { fingerprint, redelivered, taskId: crypto.randomUUID() }, dedupWindowMs);
}

/** What makes two messages without a task id equal: all that their publishers said. */
function fingerprintOf({ redelivered: _, body, ...said }: Delivery): string {
  return sha256(canonicalJson({ ...said, body: Buffer.from(body).toString('base64') }));
}

/**
 * Puts a message among the dead letters, and tells its sender. The dead letter is confirmed before the message is acknowledged;
 * if we are lost in between it is there twice.
 */
async function refuse(
  { ways, meter, log }: IntakeDependencies,
  delivery: Delivery,
  refusal: MessageRefusal,
  text: string | undefined,
): Promise<Verdict> {
  const taskId = idOf(delivery, text);
  const { task } = delivery.headers;
  const about = { task_id: taskId, task: typeof task === 'string' ? task : null };
  await bury(ways, { message: publicationOf(delivery), from: delivery.queue, ...about }, refusal);
  meter?.messageTaken(delivery.queue, refusal.code);
  log.warn({ ...refusal, task_id: taskId, queue: delivery.queue }, 'message refused; it is in hapax.dead-letter');
  await tellRefusal(ways, toldOfRefusal(delivery, refusal, text, taskId), log);
  return { kind: 'ack' };
}

/** What the sender of a message that was refused is told: of its task, and of those that were to follow it. */
function toldOfRefusal(
  delivery: Delivery,
  refusal: MessageRefusal,
  text: string | undefined,
  taskId: string | null,
): Told[] {
  const exception = exceptionOfRefusal(refusal, String(delivery.headers.task ?? refusal.detail));
  const how = { ended_at: new Date().toISOString(), end: { status: 'FAILURE', exception } } as const;
  // The other task of this id has, or will have, a result of its own.
  const own = taskId === null || refusal.code === 'task_id_reused' ? [] : [taskId];
  return toldOfForgone(
    [
      ...own.map((task_id) => ({ task_id, reply_to: delivery.reply_to, group_id: null })),
      ...forgone(followersOf(delivery, text)),
    ],
    how,
  );
}

async function tellRefusal({ rabbit, results }: AnswerWays, told: Told[], log: Logger): Promise<void> {
  const ways = told.flatMap((one) => {
    const failed = (err: unknown) => log.warn({ err, task_id: one.result.task_id }, 'the sender was not told');
    return [publishResult(rabbit, one).catch(failed), results?.store(one.result).catch(failed)];
  });
  await Promise.all(ways);
}

function refusalOf(error: unknown): MessageRefusal | undefined {
  if (error instanceof Refused) return error.refusal;
  const fault = databaseFault(error);
  // Text with NUL, for example. A conflict is none of the message's.
  if (fault?.kind === 'values') return { code: 'not_a_task', detail: `it cannot be recorded: ${fault.message}` };
  return undefined;
}

function isAway(error: unknown): boolean {
  return error instanceof Unavailable || error instanceof NotPublished || databaseFault(error)?.kind === 'away';
}
