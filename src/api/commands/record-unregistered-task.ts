import { randomUUID } from 'node:crypto';
import { type TaskInput, taskWorkflowId } from '../../contracts/task-workflow.ts';
import { canonicalJson, sha256 } from '../../domain/hash.ts';
import { nameUuid } from '../../domain/name-uuid.ts';
import { requestKey } from '../../domain/request-key.ts';
import { appendEvent } from '../../store/event-append.ts';
import { TASKS } from '../../store/task-stream.ts';
import { ApiError } from '../problem.ts';
import type { TaskDependencies, TaskRequest } from './create-task.ts';

/**
 * Records a task of a name that nobody works on: it failed as soon as it came, as with Celery, whose producers know no names
 * of tasks and are told by the result. Nothing is started. @returns the id of the task.
 */
export async function recordUnregisteredTask(
  { db }: Pick<TaskDependencies, 'db'>,
  request: TaskRequest,
): Promise<string> {
  const { name, args, kwargs, caller, door, idempotency } = request;
  const keyed = request.taskId === undefined && idempotency;
  const id = request.taskId ?? (keyed ? nameUuid(requestKey('', { caller, ...keyed })) : randomUUID());
  const occurred_at = new Date().toISOString();
  const data = {
    ...{ task_id: id, workflow_id: taskWorkflowId(id), caller, door, name, args, kwargs },
    fingerprint: sha256(canonicalJson({ type: 'task', name, args, kwargs })),
    queue: 'content' satisfies TaskInput['queue'],
    ...{ priority: null, eta: null, expires: null, soft_limit_ms: null, hard_limit_ms: null },
    ...{ callback_origin: null, root_id: null, parent_id: null },
  };
  const queued = await appendEvent(db, TASKS, id, { type: 'task_queued', data, occurred_at, dedupe_key: 'queued' });
  if (keyed && queued.event.data.fingerprint !== data.fingerprint) {
    const detail = `task ${id} was asked for under this key with other content; use a new key`;
    throw new ApiError('idempotency_key_reused', { detail });
  }
  if (queued.repeated) return id;
  const error = { type: 'NotRegistered', message: name, traceback: null };
  await appendEvent(db, TASKS, id, { type: 'task_failed', data: { error }, occurred_at, dedupe_key: 'ended' });
  return id;
}
