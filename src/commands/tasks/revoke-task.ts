import { WorkflowNotFoundError } from '@temporalio/client';
import { ANNOUNCED_ENDS } from '../../contracts/endings/announced-end.ts';
import { REVOKE_SIGNAL, type Revocation } from '../../contracts/tasks/task-workflow.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { findTask } from '../../store/tasks/task-find.ts';
import { TASKS } from '../../store/tasks/task-stream.ts';
import { endAbandoned } from '../lifecycle/end-abandoned.ts';
import { assertNoLostEnd } from '../lifecycle/lost-end.ts';
import { temporalFault } from '../lifecycle/start-workflow.ts';
import { notFound, Refusal } from '../refusal.ts';
import type { TaskDependencies } from './create-task.ts';

/** Finds the task with this id. @throws {Refusal} 404 */
export async function existingTask({ db }: Pick<TaskDependencies, 'db'>, id: string): Promise<Task> {
  const task = await findTask(db, id);
  if (!task) throw notFound(`task ${id}`);
  return task;
}

/** Ends a task, and stops its work if it has started. @throws {Refusal} 404; 409 if it has ended */
export async function revokeTask(
  deps: Pick<TaskDependencies, 'db' | 'client' | 'ends'>,
  id: string,
  revocation: Revocation,
): Promise<Task> {
  const task = await existingTask(deps, id);
  if (task.completed_at !== null) throw ended(task);
  try {
    await deps.client.workflow.getHandle(task.workflow_id).signal<[Revocation]>(REVOKE_SIGNAL, revocation);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw temporalFault(error);
    await endRevoked(deps, id, revocation);
  }
  return task;
}

/**
 * Ends a task; returns false if it has ended or never existed, which Celery does not mind.
 * @throws {Refusal} if Temporal is away.
 */
export async function revokeIfOpen(...args: Parameters<typeof revokeTask>): Promise<boolean> {
  try {
    await revokeTask(...args);
    return true;
  } catch (error) {
    if (error instanceof Refusal && (error.code === 'not_found' || error.code === 'state_conflict')) return false;
    throw error;
  }
}

/** Records that a task without a workflow was revoked: it ended just now, or an operator of Temporal terminated it. */
async function endRevoked(
  deps: Pick<TaskDependencies, 'db' | 'client' | 'ends'>,
  id: string,
  { by }: Revocation,
): Promise<void> {
  const task = await existingTask(deps, id);
  if (task.completed_at !== null) throw ended(task);
  await assertNoLostEnd(deps.client, 'task', task);
  const data = { reason: 'terminated', by } as const;
  const ending = { key: `${task.redrives}`, type: 'task_revoked', data } as const;
  await endAbandoned(deps, TASKS, id, ANNOUNCED_ENDS.revoked, { ending });
}

function ended({ id, status }: Task): Refusal {
  return new Refusal('state_conflict', { detail: `task ${id} has ended (${status})` });
}
