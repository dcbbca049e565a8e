import { WorkflowNotFoundError } from '@temporalio/client';
import { REVOKE_SIGNAL, type Revocation } from '../../contracts/tasks/task-workflow.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { listOwed } from '../../store/celery/owed-list-by-task.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { findTask } from '../../store/tasks/task-find.ts';
import { TASKS, taskStream } from '../../store/tasks/task-stream.ts';
import { temporalFault } from '../builds/start-build.ts';
import { beginAnswer, beginCallbacks } from '../callbacks/begin-telling.ts';
import { notFound, Refusal } from '../refusal.ts';
import type { TaskDependencies } from './create-task.ts';

/** The task with this id. @throws {Refusal} 404 */
export async function existingTask({ db }: Pick<TaskDependencies, 'db'>, id: string): Promise<Task> {
  const task = await findTask(db, id);
  if (!task) throw notFound(`task ${id}`);
  return task;
}

/** Ends a task, and stops its work where it has begun. @throws {Refusal} 404; 409 where it has ended */
export async function revokeTask(
  deps: Pick<TaskDependencies, 'db' | 'client'>,
  id: string,
  revocation: Revocation,
): Promise<Task> {
  const task = await existingTask(deps, id);
  if (task.completed_at !== null) throw ended(task);
  try {
    await deps.client.workflow.getHandle(task.workflow_id).signal<[Revocation]>(REVOKE_SIGNAL, revocation);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw temporalFault(error);
    await recordRevoked(deps, id, revocation);
  }
  return task;
}

/**
 * Records the end of a task whose workflow is gone: it ended just now, or an operator of Temporal terminated it. Its callback
 * and the answer to those who sent it are begun first and wait for the end, so that a crash in between loses none of them.
 */
async function recordRevoked(
  { db, client }: Pick<TaskDependencies, 'db' | 'client'>,
  id: string,
  { by }: Revocation,
): Promise<void> {
  const task = await existingTask({ db }, id);
  if (task.completed_at !== null) throw ended(task);
  const dedupe_key = `revoked:${task.redrives}`;
  const subject = taskStream(id);
  await beginCallbacks({ client, db }, { subject, ending: dedupe_key });
  if ((await listOwed(db, id)).length > 0) await beginAnswer(client, { task_id: id, ending: dedupe_key });
  const occurred_at = new Date().toISOString();
  await appendEvent(db, TASKS, id, {
    type: 'task_revoked',
    data: { reason: 'terminated', by },
    occurred_at,
    dedupe_key,
  });
}

function ended({ id, status }: Task): Refusal {
  return new Refusal('state_conflict', { detail: `task ${id} has ended (${status})` });
}
