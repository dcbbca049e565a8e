import type { ListedTask } from '../../domain/tasks/task-view.ts';
import type { Db, Fragment } from '../database.ts';

/** Lists which of these tasks exist, newest first, without the columns that may have a megabyte each. */
export function listTasksById(db: Db, ids: readonly string[]): Promise<ListedTask[]> {
  const sound = ids.filter((id) => !id.includes('\u0000'));
  return db<ListedTask[]>`
    SELECT ${listed(db)} FROM tasks WHERE id IN (SELECT jsonb_array_elements_text(${JSON.stringify(sound)}::jsonb))
    ORDER BY created_at DESC, id DESC`;
}

/** Lists tasks that another task led to, oldest first: members of its group, or those after it in a chain. */
export function listChildTasks(db: Db, id: string, limit: number): Promise<ListedTask[]> {
  return db<ListedTask[]>`
    SELECT ${listed(db)} FROM tasks WHERE parent_id = ${id} ORDER BY created_at, id LIMIT ${limit}`;
}

function listed(db: Db): Fragment {
  return db`id, status, workflow_id, fingerprint, caller, door, name, queue, priority, eta, expires, soft_limit_ms,
    hard_limit_ms, callback_origin, root_id, parent_id, attempts, retries, redrives, worker, error, dead_lettered, reason,
    created_at, received_at, started_at, retried_at, completed_at, erased_at`;
}
