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
import { type SecretBox, sealSecrets, secretPlaces, withoutSecrets } from '../../domain/tasks/secret-arguments.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { readTypedArguments } from '../../domain/tasks/task-arguments.ts';
import {
  argumentsFaults,
  policyOfType,
  policyWithLimits,
  type TaskRequest,
  taskFingerprint,
} from '../../domain/tasks/task-request.ts';
import { isContentErased } from '../../store/erasures/content-source.ts';
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

/** How many names the message about an unknown task lists at most. */
const MOST_NAMES = 20;

export interface TaskDependencies extends AcceptDependencies {
  taskPolicy: TaskPolicy;
  taskTypes: TaskTypes;
  callbackHosts: CallbackHosts;
  /** Encrypts secret arguments; undefined if no keys are set. Then no argument may be secret. */
  secrets: SecretBox | undefined;
  meter: {
    taskAccepted(task: TaskRequest & { replayed: boolean }): void;
  };
}

/**
 * Accepts a task: starts its workflow, or finds the task that has the id. Temporal alone decides which (one workflow id per
 * task id). The record is read first, since it knows what Temporal has forgotten.
 *
 * A task that is done once by its nature (a video) gets the id of its subject, unless the request names an id. If such a
 * task failed or was revoked, another request for it redrives it.
 *
 * @param principal the caller, who is held to their reach and their limit of work in flight; omitted if no key is involved.
 * @throws {Refusal} if nothing was started: a task that nobody has registered, arguments that do not fit, an id used for
 * another request, or Temporal is away.
 */
export async function createTask(
  deps: TaskDependencies,
  request: TaskRequest,
  principal?: Principal,
): Promise<Accepted<Task>> {
  const resolved = await resolve(deps, request, principal);
  const { name, type, given } = resolved;
  // Both: the worker of a queue does every task that it knows, also one of another queue.
  for (const queue of [request.queue, type?.queue]) if (queue !== undefined) principal?.requireQueue(queue);
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
  const secret = secretsIn(deps, type, request);
  // An equal request may have been accepted under an earlier key.
  const compared = secret ? withoutSecrets(secret.box, secret.places, given) : [given];
  const fingerprints = compared.map((one) => taskFingerprint(name, one));
  const { id, known, ...identity } = await identify(deps, request, name, given, fingerprints);
  if (known) principal?.requireQueue(known.queue);
  if (known?.erased_at) throw erased(taskStream(id));
  const hidden = secret ? sealSecrets(secret.box, id, secret.places, request) : request;
  const input = inputOf(
    deps,
    { ...request, args: hidden.args, kwargs: hidden.kwargs },
    { id, name, type, fingerprint: fingerprints[0]!, callback },
  );
  const replayOf = (existing: Existing<Task>) => {
    const former = callback ? compared.map((one) => taskFingerprint(name, one, callback.url)) : [];
    const otherwise = identity.mismatch && reused(identity.mismatch, id);
    return replay(deps, TASK, existing, { fingerprints: [...fingerprints, ...former], otherwise, callback });
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

/** Returns which arguments are secret, and where they are; undefined if none is. @throws {Refusal} 400 if no key can encrypt them. */
function secretsIn({ secrets: box }: TaskDependencies, type: TaskType | undefined, request: TaskRequest) {
  const places = secretPlaces(type, request);
  if (places.size === 0) return undefined;
  if (box) return { box, places };
  const message = 'is secret, and TEMPORAL_CODEC_KEYS is not set';
  throw invalidRequest([...places.values()].map((place) => ({ path: `body.${place}`, message })));
}

/** The arguments of a task by name, as its type reads them. */
type Given = Record<string, unknown>;

interface Identity {
  id: string;
  /** The task that has the id, if the record knows it. */
  known?: Task | undefined;
  /** The code of the refusal if that task has other content; undefined if the id is enough. */
  mismatch?: 'task_id_reused' | 'idempotency_key_reused';
  /** Whether a task that failed or was revoked is redriven. */
  isBegunAgain?: boolean;
}

/**
 * Decides which task a request means: the one with the given id or with the id of its subject (a video), else the one that its
 * Idempotency-Key names, else a new one. A key beside an id is saved with it, so that nobody uses the key for another task.
 */
async function identify(
  { db }: TaskDependencies,
  { taskId, caller, idempotency }: TaskRequest,
  name: string,
  given: Given,
  fingerprints: readonly string[],
): Promise<Identity> {
  const key = idempotency && requestKey('', { caller, ...idempotency });
  const find = (id: string) => knownSoon(findTask(db, id));
  const natural =
    taskId === undefined
      ? await findNaturalTask(find, name, given, (contentId) => knownSoon(isContentErased(db, contentId)))
      : undefined;
  const id = taskId ?? natural?.id;
  if (id === undefined) {
    if (key === undefined) return { id: randomUUID() };
    const named = nameUuid(key);
    return { id: named, known: await find(named), mismatch: 'idempotency_key_reused' };
  }
  const known = natural ? natural.known : await find(id);
  // Nothing is saved about an erased task.
  const isClaimed = key !== undefined && !known?.erased_at;
  const claimed = { fingerprint: fingerprints[0]!, made: taskStream(id) };
  const claim = isClaimed ? await claimRequestKey(db, key, claimed) : undefined;
  if (claim?.fingerprint === '') throw erased(claim.made);
  // Its content was erased since. A repeat only asks for the response again.
  if (natural && claim?.repeated && claim.made !== claimed.made && fingerprints.includes(claim.fingerprint)) {
    const earlier = claim.made.slice(taskStream('').length);
    return { id: earlier, known: await find(earlier) };
  }
  if (claim && (!fingerprints.includes(claim.fingerprint) || claim.made !== claimed.made)) {
    const detail = `${claim.made} was already requested with this key with other content; use a new key`;
    throw new Refusal('idempotency_key_reused', { detail });
  }
  // A repeat of the same request, by its key, only asks for the response again.
  return natural ? { id, known, isBegunAgain: !claim?.repeated } : { id, known, mismatch: 'task_id_reused' };
}

function reused(code: 'task_id_reused' | 'idempotency_key_reused', id: string): Refusal {
  const [by, use] = code === 'task_id_reused' ? ['', 'id'] : ['with this key ', 'key'];
  return new Refusal(code, { detail: `task ${id} was already requested ${by}with other content; use a new ${use}` });
}

/**
 * Returns the refusal for an erased task. Nobody can say whether the request is the same: the arguments of the task are gone,
 * and their hash too.
 */
function erased(made: string): Refusal {
  const detail = `${made} was requested before, and its data was erased; use a new id or key`;
  return new Refusal('state_conflict', { detail });
}

/** A task as its request means it. */
interface Resolved {
  name: string;
  /** Undefined if no worker has registered it yet. */
  type: TaskType | undefined;
  given: Given;
}

/** Returns the type of the task and its arguments by name. @throws {Refusal} if there is no such type, or they do not fit it. */
async function resolve(
  deps: TaskDependencies,
  request: TaskRequest,
  principal: Principal | undefined,
): Promise<Resolved> {
  const { name: asked, args, kwargs, queue } = request;
  const type = await deps.taskTypes.find(asked);
  if (!type && !(await maySoonBeServed(deps, request)))
    throw unknownTask(asked, await deps.taskTypes.list(), principal);
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

/** Returns the refusal of a task without a type. It names the tasks that the caller reaches. */
function unknownTask(asked: string, types: readonly TaskType[], principal: Principal | undefined): Refusal {
  const reached = principal ? types.filter(({ queue }) => principal.reachesQueue(queue)) : types;
  const listed = reached.slice(0, MOST_NAMES).map(({ name }) => name);
  const more = reached.length > MOST_NAMES ? ', ...' : '';
  const name = asked.slice(0, 100);
  const detail =
    listed.length > 0
      ? `${name} is not one of ${listed.join(', ')}${more}`
      : `there is no task ${name} in the queues that you reach`;
  return new Refusal('unknown_task', { detail });
}

/**
 * Says whether a task that nobody has registered can wait for a worker: it names a known queue that nobody serves now. If a
 * worker served the queue, it would have registered all its tasks.
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
    // A request for a task without a type names its queue.
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

/** Tells an existing task that a sender waits for its end. The first sender may not have waited. */
async function askForReply({ client }: TaskDependencies, id: string): Promise<void> {
  try {
    await client.workflow.getHandle(taskWorkflowId(id)).signal(ANSWERED_SIGNAL);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw temporalFault(error);
  }
}
