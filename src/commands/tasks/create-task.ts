import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Logger } from 'pino';
import type { CallbackTarget } from '../../contracts/endings/callback-workflow.ts';
import type { TaskStatus } from '../../contracts/tasks/task.ts';
import { QUEUE_OF_TASK, TASK_NAMES, type TaskName, type TaskQueueName } from '../../contracts/tasks/task-queues.ts';
import type { TaskArguments } from '../../contracts/tasks/task-signatures.ts';
import {
  ANSWERED_SIGNAL,
  type TaskInput,
  type TaskMemo,
  type TaskPolicy,
  taskWorkflowId,
} from '../../contracts/tasks/task-workflow.ts';
import { requestKey } from '../../domain/builds/request-key.ts';
import { nameUuid } from '../../domain/name-uuid.ts';
import { taskQueuedEvent } from '../../domain/record/first-events.ts';
import type { Task } from '../../domain/tasks/task.ts';
import {
  argumentsFaults,
  policyWithLimits,
  readArguments,
  taskFingerprint,
  taskNameOf,
} from '../../domain/tasks/task-request.ts';
import type { Db } from '../../store/database.ts';
import { saveCallbackTarget } from '../../store/endings/callback-target-save.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { claimRequestKey } from '../../store/request-key-claim.ts';
import { findTask } from '../../store/tasks/task-find.ts';
import { TASKS, taskStream } from '../../store/tasks/task-stream.ts';
import { callbackMemo, type StartDependencies, temporalFault } from '../builds/start-build.ts';
import { addCallback } from '../callbacks/add-callback.ts';
import { type CallbackHosts, callbackOf } from '../callbacks/callback-of.ts';
import { knownSoon, recordSoon } from '../lifecycle/record-soon.ts';
import { invalidRequest, Refusal } from '../refusal.ts';
import { freeNaturalId } from './natural-id.ts';
import { redriveTask } from './redrive-task.ts';
import { startTask } from './start-task.ts';

export interface TaskDependencies extends StartDependencies {
  db: Db;
  taskPolicy: TaskPolicy;
  callbackHosts: CallbackHosts;
  log: Logger;
  meter: {
    /** @param name one of ours, so a label has as few values. */
    taskAccepted(name: string, replayed: boolean): void;
  };
}

/** A task as it is asked for, by whatever interface. */
export interface TaskRequest {
  name: string;
  args: unknown[];
  kwargs: Record<string, unknown>;
  /** Makes the task once; undefined: an id is made. */
  taskId?: string | undefined;
  queue?: TaskQueueName | undefined;
  /** 0 to 9, the highest first. */
  priority?: number | undefined;
  eta?: Date | undefined;
  expires?: Date | undefined;
  callbackUrl?: string | undefined;
  softLimitMs?: number | undefined;
  hardLimitMs?: number | undefined;
  rootId?: string | undefined;
  parentId?: string | undefined;
  caller: string;
  /** The Idempotency-Key of the request, and the route that it came by. */
  idempotency?: { route: string; key: string } | undefined;
  door: TaskInput['door'];
  /** Whether senders of messages wait to be told of its end. */
  answered?: boolean;
}

export interface CreatedTask {
  id: string;
  status: TaskStatus;
  /** The task existed before this request. */
  replayed: boolean;
}

/**
 * Accepts a task: starts its workflow, or finds the task that has the id. Temporal alone decides which (one workflow id
 * per task id); the read before it knows what Temporal has forgotten.
 *
 * A task that is done once by its nature (a video) has the id of what it is about where none is given; one that failed or
 * was revoked is begun again when it is asked for again.
 *
 * @throws {Refusal} where nothing was started: unknown task, arguments that do not fit, an id used for another request,
 * or Temporal is away.
 */
export async function createTask(deps: TaskDependencies, request: TaskRequest): Promise<CreatedTask> {
  const { name, given } = resolve(request);
  const task = await accept(deps, request, name, given);
  if (request.answered && task.replayed) await askToAnswer(deps, task.id);
  deps.meter.taskAccepted(name, task.replayed);
  deps.log.info({ task_id: task.id, name, replayed: task.replayed, caller: request.caller }, 'task accepted');
  return task;
}

async function accept(
  deps: TaskDependencies,
  request: TaskRequest,
  name: TaskName,
  given: TaskArguments[TaskName],
): Promise<CreatedTask> {
  const callback = await callbackOf(request.callbackUrl ?? callbackUrlIn(given), deps.callbackHosts);
  const fingerprint = taskFingerprint(name, given);
  const natural = request.taskId === undefined ? await freeNaturalId(deps.db, name, given) : undefined;
  const { id, ...identity } = await identify(deps, request, natural, fingerprint);
  const input = inputOf(deps, request, { id, name, fingerprint, callback });
  const replay = async (standing: Standing): Promise<CreatedTask> => {
    const { status } = standing;
    const same = [fingerprint, callback && taskFingerprint(name, given, callback.url)];
    if (identity.mismatch && !same.includes(standing.fingerprint)) {
      const [by, use] = identity.mismatch === 'task_id_reused' ? ['', 'id'] : ['under this key ', 'key'];
      const detail = `task ${id} was asked for ${by}with other content; use a new ${use}`;
      throw new Refusal(identity.mismatch, { detail });
    }
    if (callback && standing.callback_digest !== callbackMemo(callback).callback_digest) {
      await addCallback(deps, taskStream(id), callback);
    }
    return { id, status, replayed: true };
  };

  const known = identity.named ? await knownSoon(findTask(deps.db, id)) : undefined;
  if (known && identity.isBegunAgain && (known.status === 'FAILURE' || known.status === 'REVOKED')) {
    // The arguments of another task do not fit the signature of this one.
    const begun = await redriveTask(deps, known, request.caller, known.name === name ? input : undefined);
    if (callback) await addCallback(deps, taskStream(id), callback);
    return { id, status: 'PENDING', replayed: !begun };
  }
  if (known) return replay(known);
  if (!(await startTask(deps, input, 'REJECT_DUPLICATE'))) return replay(await describeHolder(deps, input));
  await recordSoon(record(deps.db, input), (error) =>
    deps.log.warn({ err: error, task_id: id }, 'task accepted; its record will follow'),
  );
  return { id, status: 'PENDING', replayed: false };
}

/** The task that an equal request made before. */
type Standing = Pick<Task, 'status' | 'fingerprint'> & Pick<TaskMemo, 'callback_digest'>;

interface Identity {
  id: string;
  /** There may be a task with this id already. */
  named: boolean;
  /** What to answer where that task has other content; undefined where the id says enough. */
  mismatch?: 'task_id_reused' | 'idempotency_key_reused';
  /** A task that failed or was revoked is begun again. */
  isBegunAgain: boolean;
}

/**
 * Which task a request is about: the one with the id that it gives, or with the id of what it is about (a video), else the one
 * that its Idempotency-Key names, else a new one. A key beside an id is kept with it, so that the key is not used for another.
 */
async function identify(
  { db }: TaskDependencies,
  { taskId, caller, idempotency }: TaskRequest,
  natural: string | undefined,
  fingerprint: string,
): Promise<Identity> {
  const key = idempotency && requestKey('', { caller, ...idempotency });
  const id = taskId ?? natural;
  if (id === undefined) {
    if (key === undefined) return { id: randomUUID(), named: false, isBegunAgain: false };
    return { id: nameUuid(key), named: true, mismatch: 'idempotency_key_reused', isBegunAgain: false };
  }
  const identity: Identity =
    taskId === undefined
      ? { id, named: true, isBegunAgain: true }
      : { id, named: true, mismatch: 'task_id_reused', isBegunAgain: false };
  if (key === undefined) return identity;
  const claim = await claimRequestKey(db, key, { fingerprint, made: taskStream(id) });
  if (claim.fingerprint !== fingerprint || claim.made !== taskStream(id)) {
    const detail = `${claim.made} was asked for under this key with other content; use a new key`;
    throw new Refusal('idempotency_key_reused', { detail });
  }
  // The same request once more asks for nothing more than its answer.
  return claim.repeated ? { ...identity, isBegunAgain: false } : identity;
}

function resolve({ name: asked, args, kwargs }: TaskRequest): { name: TaskName; given: TaskArguments[TaskName] } {
  const name = taskNameOf(asked);
  if (!name) {
    const detail = `${asked.slice(0, 100)} is none of ${TASK_NAMES.join(', ')}`;
    throw new Refusal('unknown_task', { detail });
  }
  const read = readArguments(name, args, kwargs);
  if ('faults' in read)
    throw invalidRequest(read.faults.map(({ path, message }) => ({ path: `body.${path}`, message })));
  const faults = argumentsFaults(args, kwargs);
  if (faults.length > 0) throw invalidRequest(faults);
  return { name, given: read.arguments };
}

function callbackUrlIn(given: TaskArguments[TaskName]): string | undefined {
  return 'callback_url' in given ? given.callback_url : undefined;
}

function inputOf(
  { taskPolicy, installation }: TaskDependencies,
  request: TaskRequest,
  resolved: { id: string; name: TaskName; fingerprint: string; callback: CallbackTarget | undefined },
): TaskInput {
  const { args, kwargs, caller, door, queue, priority, eta, expires, rootId, parentId } = request;
  const { id, name, fingerprint, callback } = resolved;
  const limits = { soft_limit_ms: wholeOrNull(request.softLimitMs), hard_limit_ms: wholeOrNull(request.hardLimitMs) };
  return {
    task_id: id,
    workflow_id: taskWorkflowId(id),
    fingerprint,
    caller,
    door,
    name,
    queue: queue ?? QUEUE_OF_TASK[name],
    args,
    kwargs,
    priority: priority ?? null,
    eta: eta?.toISOString() ?? null,
    expires: expires?.toISOString() ?? null,
    ...limits,
    root_id: rootId ?? null,
    parent_id: parentId ?? null,
    created_at: new Date().toISOString(),
    ...installation.epoch,
    policy: policyWithLimits(taskPolicy, limits),
    ...(callback ? { callback } : {}),
    ...(request.answered ? { answered: true } : {}),
  };
}

function wholeOrNull(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.ceil(ms);
}

/** What Temporal knows of the task that holds a workflow id. */
async function describeHolder(
  { client, db }: TaskDependencies,
  { task_id, workflow_id }: TaskInput,
): Promise<Standing> {
  const described = await client.workflow
    .getHandle(workflow_id)
    .describe()
    .catch((error: unknown) => {
      throw temporalFault(error);
    });
  const { fingerprint, callback_digest } = described.memo as unknown as TaskMemo;
  const recorded = await knownSoon(findTask(db, task_id));
  const status = recorded?.status ?? 'PENDING';
  return { status, fingerprint, ...(callback_digest === undefined ? {} : { callback_digest }) };
}

/** Tells an existing task that a sender waits for its end; the first who asked for it may not have waited. */
async function askToAnswer({ client }: TaskDependencies, id: string): Promise<void> {
  try {
    await client.workflow.getHandle(taskWorkflowId(id)).signal(ANSWERED_SIGNAL);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw temporalFault(error);
  }
}

async function record(db: Db, input: TaskInput): Promise<void> {
  // Before the event: whoever finds the task in the record, to begin it again, finds the URL too.
  if (input.callback) await saveCallbackTarget(db, taskStream(input.task_id), input.callback.url);
  await appendEvent(db, TASKS, input.task_id, taskQueuedEvent(input));
}
