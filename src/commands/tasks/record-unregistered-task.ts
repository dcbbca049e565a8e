import { randomUUID } from 'node:crypto';
import { taskBody } from '../../contracts/tasks/task.ts';
import { type TaskInput, taskWorkflowId } from '../../contracts/tasks/task-workflow.ts';
import { requestKey } from '../../domain/builds/request-key.ts';
import { nameUuid } from '../../domain/name-uuid.ts';
import { canonicalJson, sha256 } from '../../domain/record/hash.ts';
import { argumentsFaults, type TaskRequest } from '../../domain/tasks/task-request.ts';
import { inTransaction } from '../../store/database.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { TASKS } from '../../store/tasks/task-stream.ts';
import { invalidRequest, Refusal } from '../refusal.ts';
import type { TaskDependencies } from './create-task.ts';

/**
 * Records a task with a name that no worker knows. It fails as soon as it comes, as with Celery: there, producers do not
 * know the names of tasks and learn of it from the result. Nothing is started. @returns the id of the task.
 * @throws {Refusal} if it exceeds the limits of other tasks, or if another task has its id.
 */
export async function recordUnregisteredTask(
  { db }: Pick<TaskDependencies, 'db'>,
  request: TaskRequest,
): Promise<string> {
  const { name, args, kwargs, caller, source, idempotency } = request;
  const keyed = request.taskId === undefined && idempotency;
  const id = request.taskId ?? (keyed ? nameUuid(requestKey('', { caller, ...keyed })) : randomUUID());
  const occurred_at = new Date().toISOString();
  const data = {
    ...{ task_id: id, workflow_id: taskWorkflowId(id), caller, door: source, name, args, kwargs },
    fingerprint: sha256(canonicalJson({ type: 'task', name, args, kwargs })),
    queue: 'content' satisfies TaskInput['queue'],
    ...{ priority: null, eta: null, expires: null, soft_limit_ms: null, hard_limit_ms: null },
    ...{ callback_origin: null, root_id: null, parent_id: null },
  };
  const faults = [...nameFaults(name), ...argumentsFaults(args, kwargs)];
  if (faults.length > 0) throw invalidRequest(faults);
  const error = { type: 'NotRegistered', message: name, traceback: null };
  // Both or neither: a process that ends between the two would leave a task that never ends.
  await inTransaction(db, async (tx) => {
    const queued = { type: 'task_queued' as const, data, occurred_at, dedupe_key: 'queued' };
    const { event } = await appendEvent(tx, TASKS, id, queued);
    if (event.data.fingerprint !== data.fingerprint) {
      const [code, by, use] = keyed
        ? (['idempotency_key_reused', 'with this key ', 'key'] as const)
        : (['task_id_reused', '', 'id'] as const);
      throw new Refusal(code, { detail: `task ${id} was already requested ${by}with other content; use a new ${use}` });
    }
    const failed = { type: 'task_failed' as const, data: { error }, occurred_at, dedupe_key: 'ended' };
    await appendEvent(tx, TASKS, id, failed);
  });
  return id;
}

function nameFaults(name: string): Array<{ path: string; message: string }> {
  const { error } = taskBody.shape.name.safeParse(name);
  return (error?.issues ?? []).map(({ message }) => ({ path: 'name', message }));
}
