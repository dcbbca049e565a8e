import { randomUUID } from 'node:crypto';
import type { Redrive, TaskInput } from '../../contracts/tasks/task-workflow.ts';
import { type TaskTerms, taskRedrivenEvent } from '../../domain/record/first-events.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { policyOfType, policyWithLimits } from '../../domain/tasks/task-request.ts';
import { listPendingReplies } from '../../store/celery/pending-reply-list-by-task.ts';
import { findCallbackUrl } from '../../store/endings/callback-target-find.ts';
import { taskStream } from '../../store/tasks/task-stream.ts';
import { restart } from '../lifecycle/restart.ts';
import type { TaskDependencies } from './create-task.ts';
import { TASK } from './task-kind.ts';
import { typeInInput } from './type-in-input.ts';

type Asked = TaskTerms & Pick<TaskInput, 'answered'>;

/**
 * Begins a task again that failed or was revoked; false where another redrive was first.
 * @param asked arguments and limits where it is asked for again; undefined: as before.
 */
export async function redriveTask(
  deps: Pick<TaskDependencies, 'client' | 'workerBeside' | 'installation' | 'db' | 'taskPolicy' | 'taskTypes'>,
  task: Task,
  by: string,
  asked: Asked = task,
): Promise<boolean> {
  const redrive: Redrive = {
    redrive: task.redrives + 1,
    by,
    redrive_id: randomUUID(),
    at: new Date().toISOString(),
  };
  const input = { ...(await taskInputAgain(deps, task, asked)), redrive };
  return restart(deps, TASK, task, input, taskRedrivenEvent(input, redrive));
}

/** Input of the workflow of a task that is led once more. @param asked arguments and limits from now on. */
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
  const waitedFor = asked.answered || (await listPendingReplies(deps.db, task.id)).length > 0;
  const answered = waitedFor ? { answered: true as const } : {};
  return {
    ...inputOf(task),
    ...typeInInput(type, task.type_version),
    ...callback,
    ...answered,
    args,
    kwargs,
    ...limits,
    policy,
  };
}

/** The input of a task as it was accepted, without what it waited for: an eta and an expiry are past. */
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
