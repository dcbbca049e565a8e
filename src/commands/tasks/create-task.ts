import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { CallbackTarget } from '../../contracts/endings/callback-workflow.ts';
import { queueName, type TaskType, taskTypeName } from '../../contracts/tasks/task-type.ts';
import {
  ANSWERED_SIGNAL,
  type TaskInput,
  type TaskPolicy,
  taskWorkflowId,
} from '../../contracts/tasks/task-workflow.ts';
import { requestKey } from '../../domain/builds/request-key.ts';
import { nameUuid } from '../../domain/name-uuid.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { readTypedArguments } from '../../domain/tasks/task-arguments.ts';
import {
  argumentsFaults,
  policyOfType,
  policyWithLimits,
  type TaskRequest,
  taskFingerprint,
} from '../../domain/tasks/task-request.ts';
import { claimRequestKey } from '../../store/request-key-claim.ts';
import { findTask } from '../../store/tasks/task-find.ts';
import { taskStream } from '../../store/tasks/task-stream.ts';
import { addCallback } from '../callbacks/add-callback.ts';
import { type CallbackHosts, callbackOf } from '../callbacks/callback-of.ts';
import type { Principal } from '../keys/principal.ts';
import {
  type AcceptDependencies,
  type Accepted,
  accept,
  type Existing,
  knownSoon,
  replay,
} from '../lifecycle/accept.ts';
import { temporalFault } from '../lifecycle/start-workflow.ts';
import { invalidRequest, Refusal } from '../refusal.ts';
import { isPolling, listPollers } from '../workers/list-pollers.ts';
import { findNaturalTask } from './natural-id.ts';
import { redriveTask } from './redrive-task.ts';
import { TASK } from './task-kind.ts';
import type { TaskTypes } from './task-types.ts';
import { typeInInput } from './type-in-input.ts';

/** The most names in the message about an unknown task. */
const MOST_NAMES = 20;

export interface TaskDependencies extends AcceptDependencies {
  taskPolicy: TaskPolicy;
  taskTypes: TaskTypes;
  callbackHosts: CallbackHosts;
  meter: {
    taskAccepted(task: TaskRequest & { replayed: boolean }): void;
  };
}

/**
 * Accepts a task: starts its workflow, or finds the task that has the id. Temporal alone decides which (one workflow id
 * per task id); the read before it knows what Temporal has forgotten.
 *
 * A task that is done once by its nature (a video) has the id of what it is about where none is given; one that failed or
 * was revoked is begun again when it is asked for again.
 *
 * @param principal who asks at a door, held to what they reach and may have in flight; left out where no key asks.
 * @throws {Refusal} where nothing was started: a task that nobody has registered, arguments that do not fit, an id used for another request,
 * or Temporal is away.
 */
export async function createTask(
  deps: TaskDependencies,
  request: TaskRequest,
  principal?: Principal,
): Promise<Accepted<Task>> {
  const resolved = await resolve(deps, request);
  const { name, type, given } = resolved;
  // One without a type names its queue.
  principal?.requireQueue(request.queue ?? type!.queue);
  const callback = await callbackOf(request.callbackUrl ?? callbackUrlIn(type, given), deps.callbackHosts);
  const task = await acceptOrFind(deps, request, { ...resolved, callback, principal });
  if (request.awaitsReply && task.replayed) await askForReply(deps, task.id);
  deps.meter.taskAccepted({ ...request, name, replayed: task.replayed });
  deps.log.info({ task_id: task.id, name, replayed: task.replayed, caller: request.caller }, 'task accepted');
  return task;
}

interface ResolvedTask extends Resolved {
  callback: CallbackTarget | undefined;
  principal: Principal | undefined;
}

async function acceptOrFind(
  deps: TaskDependencies,
  request: TaskRequest,
  { name, type, given, callback, principal }: ResolvedTask,
): Promise<Accepted<Task>> {
  const fingerprint = taskFingerprint(name, given);
  const { id, known, ...identity } = await identify(deps, request, name, given, fingerprint);
  if (known) principal?.requireQueue(known.queue);
  const input = inputOf(deps, request, { id, name, type, fingerprint, callback });
  const replayOf = (existing: Existing<Task>) => {
    const former = callback && taskFingerprint(name, given, callback.url);
    const otherwise = identity.mismatch && reused(identity.mismatch, id);
    return replay(deps, TASK, existing, { fingerprints: [fingerprint, former], otherwise, callback });
  };
  if (known && identity.isBegunAgain && (known.status === 'FAILURE' || known.status === 'REVOKED')) {
    // The arguments of another task do not fit the signature of this one.
    const begun = await redriveTask(deps, known, request.caller, known.name === name ? input : undefined);
    if (callback) await addCallback(deps, taskStream(id), callback);
    return { id, status: 'PENDING', replayed: !begun };
  }
  const start = () => accept(deps, TASK, input, 'REJECT_DUPLICATE');
  const existing = known ?? (await (principal ? principal.begin('tasks', start) : start()));
  return existing ? replayOf(existing) : { id, status: 'PENDING', replayed: false };
}

/** The arguments of a task by their names, as its type reads them. */
type Given = Record<string, unknown>;

interface Identity {
  id: string;
  /** The task that has the id, as far as the record can say. */
  known?: Task | undefined;
  /** What to answer where that task has other content; undefined where the id says enough. */
  mismatch?: 'task_id_reused' | 'idempotency_key_reused';
  /** A task that failed or was revoked is begun again. */
  isBegunAgain?: boolean;
}

/**
 * Which task a request is about: the one with the id that it gives, or with the id of what it is about (a video), else the one
 * that its Idempotency-Key names, else a new one. A key beside an id is kept with it, so that the key is not used for another.
 */
async function identify(
  { db }: TaskDependencies,
  { taskId, caller, idempotency }: TaskRequest,
  name: string,
  given: Given,
  fingerprint: string,
): Promise<Identity> {
  const key = idempotency && requestKey('', { caller, ...idempotency });
  const find = (id: string) => knownSoon(findTask(db, id));
  const natural = taskId === undefined ? await findNaturalTask(find, name, given) : undefined;
  const id = taskId ?? natural?.id;
  if (id === undefined) {
    if (key === undefined) return { id: randomUUID() };
    const named = nameUuid(key);
    return { id: named, known: await find(named), mismatch: 'idempotency_key_reused' };
  }
  const [claim, known] = await Promise.all([
    key === undefined ? undefined : claimRequestKey(db, key, { fingerprint, made: taskStream(id) }),
    natural ? natural.known : find(id),
  ]);
  if (claim && (claim.fingerprint !== fingerprint || claim.made !== taskStream(id))) {
    const detail = `${claim.made} was already requested with this key with other content; use a new key`;
    throw new Refusal('idempotency_key_reused', { detail });
  }
  // The same request once more, by its key, asks for nothing more than its response.
  return natural ? { id, known, isBegunAgain: !claim?.repeated } : { id, known, mismatch: 'task_id_reused' };
}

function reused(code: 'task_id_reused' | 'idempotency_key_reused', id: string): Refusal {
  const [by, use] = code === 'task_id_reused' ? ['', 'id'] : ['with this key ', 'key'];
  return new Refusal(code, { detail: `task ${id} was already requested ${by}with other content; use a new ${use}` });
}

/** A task as its request means it. */
interface Resolved {
  name: string;
  /** Undefined where no worker has registered it yet. */
  type: TaskType | undefined;
  given: Given;
}

/** The type of the task and its arguments by name. @throws {Refusal} where there is no such type, or they do not fit it. */
async function resolve(deps: TaskDependencies, request: TaskRequest): Promise<Resolved> {
  const { name: asked, args, kwargs, queue } = request;
  const type = await deps.taskTypes.find(asked);
  if (!type && !(await maySoonBeServed(deps, request))) {
    const names = (await deps.taskTypes.list()).map(({ name }) => name);
    const listed = names.slice(0, MOST_NAMES).join(', ');
    const detail = `${asked.slice(0, 100)} is not one of ${listed}${names.length > MOST_NAMES ? ', ...' : ''}`;
    throw new Refusal('unknown_task', { detail });
  }
  const read = type ? readTypedArguments(type, args, kwargs) : { given: { args, kwargs } };
  if ('faults' in read)
    throw invalidRequest(read.faults.map(({ path, message }) => ({ path: `body.${path}`, message })));
  const faults = argumentsFaults(args, kwargs);
  if (queue !== undefined) {
    const { error } = queueName.safeParse(queue);
    faults.push(...(error?.issues ?? []).map(({ message }) => ({ path: 'body.queue', message })));
  }
  if (faults.length > 0) throw invalidRequest(faults);
  return { name: type?.name ?? asked, type, given: read.given };
}

/**
 * Whether a task that nobody has registered can wait for a worker: it names a queue that is known, and that nobody serves now. Where
 * a worker does, it knows all tasks that there are.
 */
async function maySoonBeServed(
  { client, taskTypes }: TaskDependencies,
  { name, queue }: TaskRequest,
): Promise<boolean> {
  if (queue === undefined || !taskTypeName.safeParse(name).success) return false;
  const runtimes = (await taskTypes.queues()).get(queue);
  return runtimes !== undefined && !(await listPollers(client, queue, runtimes)).some(isPolling);
}

function callbackUrlIn(type: TaskType | undefined, { callback_url }: Given): string | undefined {
  return type?.runtime === 'built-in' && typeof callback_url === 'string' ? callback_url : undefined;
}

function inputOf(
  { taskPolicy, installation }: TaskDependencies,
  request: TaskRequest,
  resolved: Omit<Resolved, 'given'> & { id: string; fingerprint: string; callback: CallbackTarget | undefined },
): TaskInput {
  const { args, kwargs, caller, source, queue, priority, eta, expires, rootId, parentId } = request;
  const { id, name, type, fingerprint, callback } = resolved;
  const limits = { soft_limit_ms: wholeOrNull(request.softLimitMs), hard_limit_ms: wholeOrNull(request.hardLimitMs) };
  return {
    task_id: id,
    workflow_id: taskWorkflowId(id),
    fingerprint,
    caller,
    door: source,
    name,
    // One without a type names its queue.
    queue: queue ?? type!.queue,
    ...typeInInput(type, type?.version ?? null),
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
    policy: policyWithLimits(policyOfType(taskPolicy, type), limits),
    ...(callback ? { callback } : {}),
    ...(request.message ? { message: request.message } : {}),
    ...(request.awaitsReply ? { answered: true } : {}),
  };
}

function wholeOrNull(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.ceil(ms);
}

/** Tells an existing task that a sender waits for its end; the first who asked for it may not have waited. */
async function askForReply({ client }: TaskDependencies, id: string): Promise<void> {
  try {
    await client.workflow.getHandle(taskWorkflowId(id)).signal(ANSWERED_SIGNAL);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw temporalFault(error);
  }
}
