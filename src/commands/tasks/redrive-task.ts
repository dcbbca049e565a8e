import { randomUUID } from 'node:crypto';
import type { Redrive, TaskInput } from '../../contracts/tasks/task-workflow.ts';
import { type TaskTerms, taskRedrivenEvent } from '../../domain/record/first-events.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { policyOfType, policyWithLimits } from '../../domain/tasks/task-request.ts';
import { listPendingReplies } from '../../store/celery/pending-reply-list-by-task.ts';
import { findCallbackUrl } from '../../store/endings/callback-target-find.ts';
import { taskStream } from '../../store/tasks/task-stream.ts';
import { restart } from '../lifecycle/restart.ts';
import { Refusal } from '../refusal.ts';
import type { TaskDependencies } from './create-task.ts';
import { TASK } from './task-kind.ts';
import { typeInInput } from './type-in-input.ts';

type Asked = TaskTerms & Pick<TaskInput, 'answered'>;

/**
 * Restarts a task that failed or was revoked; returns false if another redrive was first.
 * @param asked new arguments and limits, if it is requested again; default: as before.
 * @throws {Refusal} 409 if its arguments are gone; 503 if Temporal is away or its workflow does not close.
 */
export async function redriveTask(
  deps: Pick<TaskDependencies, 'client' | 'workerBeside' | 'installation' | 'db' | 'taskPolicy' | 'taskTypes'>,
  task: Task,
  by: string,
  asked: Asked = task,
): Promise<boolean> {
  refuseErased(task);
  const redrive: Redrive = {
    redrive: task.redrives + 1,
    by,
    redrive_id: randomUUID(),
    at: new Date().toISOString(),
  };
  const input = { ...(await taskInputAgain(deps, task, asked)), redrive };
  return restart(deps, TASK, task, input, taskRedrivenEvent(input, redrive));
}

/** @throws {Refusal} 409 if the arguments of the task are gone. */
function refuseErased({ id, erased_at }: Task): void {
  if (erased_at === null) return;
  const detail = `the arguments of task ${id} were erased on ${erased_at.slice(0, 10)}; send a new task`;
  throw new Refusal('state_conflict', { detail });
}

/** Returns the input for another workflow of a task. @param asked arguments and limits from now on. */
export async function taskInputAgain(
  deps: Pick<TaskDependencies, 'db' | 'taskPolicy' | 'taskTypes'>,
  task: Task,
  asked: Asked = task,
): Promise<TaskInput> {
  const { args, kwargs, soft_limit_ms, hard_limit_ms } = asked;
  const limits = { soft_limit_ms, hard_limit_ms };
  const type = await deps.taskTypes.find(task.name);
  const policy = policyWithLimits(policyOfType(deps.taskPolicy, type), limits);
  const url = await findCallbackUrl(deps.db, taskStream(task.id));
  const callback = url === undefined ? {} : { callback: { url, origin: new URL(url).origin } };
  const pending = await listPendingReplies(deps.db, task.id);
  const answered = asked.answered || pending.length > 0 ? { answered: true as const } : {};
  const message = pending.find((reply) => reply.message)?.message;
  return {
    ...inputOf(task),
    ...typeInInput(type, task.type_version),
    ...callback,
    ...answered,
    ...(message && { message }),
    args,
    kwargs,
    ...limits,
    policy,
  };
}

/** Returns the input of a task as it was accepted, without its eta and expiry, which are past. */
function inputOf(task: Task): Omit<TaskInput, 'policy' | keyof Asked | keyof ReturnType<typeof typeInInput>> {
  const { id, workflow_id, fingerprint, caller, door, name, queue, priority } = task;
  const { root_id, parent_id, created_at } = task;
  return {
    task_id: id,
    workflow_id,
    fingerprint,
    caller,
    door,
    name,
    queue,
    priority,
    eta: null,
    expires: null,
    root_id,
    parent_id,
    created_at,
  };
}
