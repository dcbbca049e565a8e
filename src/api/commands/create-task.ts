import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Logger } from 'pino';
import { LIMITS } from '../../contracts/budgets.ts';
import type { CallbackTarget } from '../../contracts/callback-workflow.ts';
import type { TaskStatus } from '../../contracts/task.ts';
import { QUEUE_OF_TASK, TASK_NAMES, type TaskName, type TaskQueueName } from '../../contracts/task-queues.ts';
import type { TaskArguments } from '../../contracts/task-signatures.ts';
import {
  ANSWERED_SIGNAL,
  type TaskInput,
  type TaskMemo,
  type TaskPolicy,
  taskWorkflowId,
} from '../../contracts/task-workflow.ts';
import { taskQueuedEvent } from '../../domain/first-events.ts';
import type { Task } from '../../domain/task.ts';
import {
  naturalTaskId,
  policyWithLimits,
  readArguments,
  taskFingerprint,
  taskNameOf,
} from '../../domain/task-request.ts';
import { saveCallbackTarget } from '../../store/callback-target-save.ts';
import type { Db } from '../../store/database.ts';
import { appendEvent } from '../../store/event-append.ts';
import { findTask } from '../../store/task-find.ts';
import { TASKS, taskStream } from '../../store/task-stream.ts';
import type { ApiMeter } from '../meter.ts';
import { ApiError, invalidRequest } from '../problem.ts';
import { callbackOf } from './callback-of.ts';
import { knownSoon, recordSoon } from './record-soon.ts';
import { redriveTask } from './redrive-task.ts';
import { type StartDependencies, temporalFault } from './start-build.ts';
import { startTask } from './start-task.ts';

export interface TaskDependencies extends StartDependencies {
  db: Db;
  taskPolicy: TaskPolicy;
  /** Hosts that callbacks may go to although they are of this machine or network. */
  callbackHosts: readonly string[];
  log: Logger;
  meter: Pick<ApiMeter, 'taskAccepted'>;
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
 * @throws {ApiError} where nothing was started: unknown task, arguments that do not fit, an id used for another request,
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
  const callback = callbackOf(request.callbackUrl ?? callbackUrlIn(given), deps.callbackHosts);
  const callbackUrl = callback?.url ?? null;
  const fingerprint = taskFingerprint(name, given, callbackUrl);
  const natural = request.taskId === undefined ? naturalTaskId(name, given, callbackUrl) : undefined;
  const asked = natural === undefined ? fingerprint : undefined;
  const id = request.taskId ?? natural ?? randomUUID();
  const input = inputOf(deps, request, { id, name, fingerprint, callback });

  const named = id === request.taskId || id === natural;
  const known = named ? await knownSoon(findTask(deps.db, id)) : undefined;
  if (known && natural !== undefined && (known.status === 'FAILURE' || known.status === 'REVOKED')) {
    const begun = await redriveTask(deps, known, request.caller, input);
    return { id, status: 'PENDING', replayed: !begun };
  }
  if (known) return replay(known, asked);
  if (!(await startTask(deps, input, 'REJECT_DUPLICATE'))) return replay(await describeHolder(deps, input), asked);
  await recordSoon(record(deps.db, input), (error) =>
    deps.log.warn({ err: error, task_id: id }, 'task accepted; its record will follow'),
  );
  return { id, status: 'PENDING', replayed: false };
}

function resolve({ name: asked, args, kwargs }: TaskRequest): { name: TaskName; given: TaskArguments[TaskName] } {
  const name = taskNameOf(asked);
  if (!name) {
    const detail = `${asked.slice(0, 100)} is none of ${TASK_NAMES.join(', ')}`;
    throw new ApiError('unknown_task', { detail });
  }
  const read = readArguments(name, args, kwargs);
  if ('faults' in read)
    throw invalidRequest(read.faults.map(({ path, message }) => ({ path: `body.${path}`, message })));
  const json = JSON.stringify([args, kwargs]);
  if (json.length > LIMITS.tasks.argumentsCharacters) {
    const message = `args and kwargs have more than ${LIMITS.tasks.argumentsCharacters} characters of JSON`;
    throw invalidRequest([{ path: 'body.kwargs', message }]);
  }
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

/** @param asked fingerprint that has to be that of the task; undefined where the id says enough. */
function replay({ id, status, fingerprint }: Pick<Task, 'id' | 'status' | 'fingerprint'>, asked?: string): CreatedTask {
  if (asked !== undefined && asked !== fingerprint) {
    throw new ApiError('task_id_reused', { detail: `task ${id} was asked for with other content; use a new id` });
  }
  return { id, status, replayed: true };
}

/** What Temporal knows of the task that holds a workflow id. */
async function describeHolder({ client, db }: TaskDependencies, { task_id, workflow_id }: TaskInput) {
  const described = await client.workflow
    .getHandle(workflow_id)
    .describe()
    .catch((error: unknown) => {
      throw temporalFault(error);
    });
  const { fingerprint } = described.memo as unknown as TaskMemo;
  const recorded = await knownSoon(findTask(db, task_id));
  return { id: task_id, status: recorded?.status ?? 'PENDING', fingerprint };
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
