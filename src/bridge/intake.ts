import { setTimeout as delay } from 'node:timers/promises';
import { Refusal } from '../commands/refusal.ts';
import { createTask, type TaskDependencies } from '../commands/tasks/create-task.ts';
import { endReplaced, notInPython, replaceTask } from '../commands/tasks/replace-task.ts';
import { revokeIfOpen } from '../commands/tasks/revoke-task.ts';
import type { Delivery, MessageRefusal, PendingReply } from '../contracts/celery/celery.ts';
import { TRACE_CONTEXT_HEADERS } from '../contracts/tracing/tracing.ts';
import { endOf, errorLinksOfRefused, hasFollowUps } from '../domain/celery/celery-reply.ts';
import { PUBLISH_TASK } from '../domain/celery/celery-tasks.ts';
import { AMQP_CALLER, type RefusedReading, read, refuse, type TaskReading } from '../domain/celery/reading.ts';
import { canonicalJson, sha256 } from '../domain/record/hash.ts';
import { isOnceByNature } from '../domain/tasks/task-request.ts';
import { publicationOf } from '../integrations/celery/celery-publication.ts';
import { endNeverComing } from '../integrations/celery/chords.ts';
import { bury, publishResult, publishTasks, type ReplyWays } from '../integrations/celery/publishing.ts';
import type { Verdict } from '../integrations/celery/rabbitmq.ts';
import { publishReply, storeReply } from '../integrations/celery/replying.ts';
import { savePendingReply } from '../store/celery/pending-reply-save.ts';
import { settlePendingReply } from '../store/celery/pending-reply-settle.ts';
import { settleUnnamedMessage } from '../store/celery/unnamed-message-settle.ts';
import { takeUnnamedMessage } from '../store/celery/unnamed-message-take.ts';
import { databaseFault } from '../store/database.ts';
import { findEnding } from '../store/endings/ending-find.ts';
import { taskStream } from '../store/tasks/task-stream.ts';
import type { BridgeMeter } from './meter.ts';
import { isAway, PAUSE_MS } from './outage.ts';
import type { Revocations } from './revocations.ts';

export interface IntakeDependencies extends TaskDependencies {
  ways: ReplyWays;
  revocations: Revocations;
  /** How long equal messages without a task id mean the same task, in milliseconds. */
  dedupWindowMs: number;
  meter: TaskDependencies['meter'] & BridgeMeter;
}

/**
 * How often to try a message that fails by our own fault. Then it becomes a dead letter, so that the messages behind it get their turn.
 */
const MOST_FAULTS = 3;
const INTERNAL: MessageRefusal = { code: 'internal', detail: 'something went wrong on our side; see the log' };

/** Only a result back end says how many members a chord has. */
const UNCOUNTED: MessageRefusal = {
  code: 'unsupported_canvas',
  detail: 'a chord needs RESULT_REDIS_URL: the result back end says how many members it has',
};

/** What is known about the sender of a refused message, once it has its reply. */
const NO_REPLY = {
  ...{ reply_to: '', ignore_result: true, group_id: null, root_id: null, parent_id: null },
  follow_ups: { callbacks: [], errbacks: [], chain: [] },
};

/** Long enough for a revocation to arrive before the work begins. */
const HEAD_START_MS = 10_000;

/**
 * Takes a message. It is acknowledged once its task is in Temporal, or once it is a dead letter with a reason. Until then RabbitMQ
 * keeps it, and delivers it again if this process dies. That does no harm: a task id makes only one task.
 */
export async function takeDelivery(deps: IntakeDependencies, delivery: Delivery, lost: AbortSignal): Promise<Verdict> {
  let pause: number = PAUSE_MS.first;
  let faults = 0;
  while (!lost.aborted) {
    try {
      const now = new Date();
      if (faults < MOST_FAULTS) return await act(deps, delivery, read(delivery, now));
      // If its headers make that fail too, it is kept without them.
      const kept = faults < 2 * MOST_FAULTS ? delivery : { ...delivery, headers: {} };
      return await putAside(deps, kept, refuse(kept, INTERNAL, now));
    } catch (error) {
      // While something is away, the message waits here, unacknowledged.
      const waits = isAway(error);
      if (!waits) faults += 1;
      deps.log[waits ? 'warn' : 'error']({ err: error, queue: delivery.queue }, 'a message waits to be taken');
      await delay(pause, undefined, { signal: lost }).catch(() => {});
      pause = Math.min(2 * pause, PAUSE_MS.longest);
    }
  }
  return { kind: 'requeue' };
}

async function act(
  deps: IntakeDependencies,
  delivery: Delivery,
  reading: TaskReading | RefusedReading,
): Promise<Verdict> {
  if ('refusal' in reading) return putAside(deps, delivery, reading);
  try {
    return await begin(deps, delivery, reading);
  } catch (error) {
    const refusal = refusalIn(error);
    if (!refusal) throw error;
    return putAside(deps, delivery, refuse(delivery, refusal, new Date()));
  }
}

async function begin(deps: IntakeDependencies, delivery: Delivery, reading: TaskReading): Promise<Verdict> {
  const { db, ways, revocations, meter, log } = deps;
  const type = await deps.taskTypes.find(reading.task.name);
  const isInPython = type?.runtime === 'python';
  const needed = await refusalOfCanvas(deps, reading, isInPython);
  if (needed) return putAside(deps, delivery, refuse(delivery, needed, new Date()));
  const { task, pendingReplies } = isInPython ? reading.inPython : reading;
  if (task.message && pendingReplies.chord && ways.results) task.message.chord_counted = true;
  if (task.message && (task.message.chord_counted || hasFollowUps(pendingReplies.follow_ups)))
    task.message.result_passed_on = true;
  const awaitsReply =
    ways.results !== undefined ||
    pendingReplies.reply_to !== '' ||
    hasFollowUps(pendingReplies.follow_ups) ||
    // What is kept for the reply is also what a worker in Python gets again.
    task.message !== undefined;
  const given = task.taskId;
  const isUnnamed = given === undefined && !(type?.runtime === 'built-in' && isOnceByNature(type.name));
  const unnamed = isUnnamed ? fingerprintOf(delivery) : undefined;

  // If it was revoked before it came, it is recorded and never run. Nobody can know the id of a message without one before it comes, so
  // only later revocations mean it: a revoked video is ingested again when a message asks for it again.
  const since = given === undefined ? Date.now() : 0;
  const isRevoked = given !== undefined && revocations.has(given);
  const eta = isRevoked ? new Date(Date.now() + HEAD_START_MS) : task.eta;
  const taskId = unnamed === undefined ? given : await idForUnnamed(deps, delivery, unnamed);
  const isReplacement = given !== undefined && reading.replaces > 0 && (await replaceBy(given));
  const { id, replayed } = isReplacement
    ? { id: given, replayed: true }
    : await createTask(deps, { ...task, taskId, eta, awaitsReply });
  // Checked again: the revocation may have come while the task was being started, and found nothing to revoke.
  if (revocations.has(id, since)) await revokeIfOpen(deps, id, { by: AMQP_CALLER, reason: 'revoked' });

  // A retry begins with the message that requested the task, and not with one that replaced it.
  const again = !isReplacement && task.message && { message: task.message };
  if (awaitsReply) await keepPending(deps, id, { ...pendingReplies, ...again });
  meter.messageTaken(delivery.queue, replayed ? 'repeated' : 'started');
  log.debug({ task_id: id, task: task.name, queue: delivery.queue, replayed }, 'message taken');
  return unnamed === undefined ? { kind: 'ack' } : { kind: 'ack', afterwards: () => settleUnnamedMessage(db, unnamed) };

  function replaceBy(taskId: string): Promise<boolean> {
    if (isInPython) return replaceTask(deps, taskId, reading.replaces, task);
    return endReplaced(deps, taskId, reading.replaces, notInPython(taskId, task.name));
  }
}

/** Says why the canvas of a message cannot be followed; undefined if it can. */
async function refusalOfCanvas(
  { taskTypes, ways }: IntakeDependencies,
  { onlyBesideCelery, pendingReplies }: TaskReading,
  isInPython: boolean,
): Promise<MessageRefusal | undefined> {
  if (onlyBesideCelery && !(await taskTypes.find(PUBLISH_TASK))) return onlyBesideCelery;
  // Without Redis, the back end of a Celery app counts its chords.
  return pendingReplies.chord && !ways.results && !isInPython ? UNCOUNTED : undefined;
}

/** Records that a sender waits for the end of a task. If the task has already ended, the reply is sent at once. */
async function keepPending(
  { db, ways, log }: IntakeDependencies,
  taskId: string,
  pending: PendingReply,
): Promise<void> {
  await savePendingReply(db, taskId, pending);
  const event = await findEnding(db, taskStream(taskId));
  if (!event) return;
  const ending = { task_id: taskId, ended_at: event.occurred_at, end: endOf(event) };
  await publishReply(ways, pending, ending);
  try {
    await storeReply(ways, pending, ending);
  } catch (err) {
    return log.warn({ err, task_id: taskId }, 'the result is not in Redis yet; the next comparison has it stored');
  }
  await settlePendingReply(db, { task_id: taskId, ending: event.dedupe_key }, pending);
}

function idForUnnamed({ db, dedupWindowMs }: IntakeDependencies, { redelivered }: Delivery, fingerprint: string) {
  return takeUnnamedMessage(db, { fingerprint, redelivered, taskId: crypto.randomUUID() }, dedupWindowMs);
}

/** Returns what identifies a message without a task id: everything that its publisher set, except for the trace. */
function fingerprintOf({ redelivered: _, body, headers, ...said }: Delivery): string {
  const own = Object.entries(headers).filter(([name]) => !TRACE_CONTEXT_HEADERS.includes(name));
  return sha256(
    canonicalJson({ ...said, headers: Object.fromEntries(own), body: Buffer.from(body).toString('base64') }),
  );
}

/**
 * Makes a message a dead letter, and replies to its sender. The dead letter is confirmed before the message is acknowledged;
 * if this process dies in between, there are two.
 */
async function putAside(
  { ways, taskTypes, meter, log }: IntakeDependencies,
  delivery: Delivery,
  { refusal, task_id, name, replies, errbacks, never, refused_at }: RefusedReading,
): Promise<Verdict> {
  const { queue } = delivery;
  const isInPython = name !== null && taskTypes.known(name)?.runtime === 'python';
  const pending = { ...NO_REPLY, ...(isInPython && { celery_queue: queue }) };
  const ending = { task_id: task_id ?? '', ended_at: refused_at, end: never.end };
  // First, because the message waits here while Temporal or the database is away, and doing this twice changes nothing.
  try {
    if (task_id !== null) await publishTasks(ways, errorLinksOfRefused(errbacks, pending, ending, ways.queueOf));
    await endNeverComing(ways, never, { pending, ending });
  } catch (err) {
    if (isAway(err)) throw err;
    log.warn({ err, task_id }, 'what waits for a refused message was not ended');
  }
  await bury(ways, { message: publicationOf(delivery), from: queue, task_id, task: name }, refusal);
  meter.messageTaken(queue, refusal.code);
  log.warn({ ...refusal, task_id, queue }, 'message refused; it is in hapax.dead-letter');
  const sending = replies.flatMap((reply) => {
    const failed = (err: unknown) =>
      log.warn({ err, task_id: reply.result.task_id }, 'the reply to the sender was not sent');
    return [publishResult(ways.rabbit, reply).catch(failed), ways.results?.store(reply.result).catch(failed)];
  });
  await Promise.all(sending);
  return { kind: 'ack' };
}

/** Says why a readable message cannot become a task; undefined for a fault that may pass. */
function refusalIn(error: unknown): MessageRefusal | undefined {
  if (error instanceof Refusal && error.kind === 'request') {
    const { code, message: detail } = error;
    return { code: code === 'unknown_task' || code === 'task_id_reused' ? code : 'invalid_arguments', detail };
  }
  const fault = databaseFault(error);
  // For example text with NUL. A conflict is not the message's fault.
  if (fault?.kind === 'values') return { code: 'not_a_task', detail: `it cannot be recorded: ${fault.message}` };
  return undefined;
}
