import type { TaskRuntime } from '../../contracts/tasks/task-queues.ts';
import type { TaskType, TaskTypeDescription } from '../../contracts/tasks/task-type.ts';
import type { Db } from '../database.ts';

type Row = Pick<TaskType, 'runtime' | 'version' | 'first_registered_at' | 'last_registered_at' | 'registered_by'> & {
  description: TaskTypeDescription;
};

/** The version of each task type that is in force, by name. */
export async function listTaskTypes(db: Db): Promise<TaskType[]> {
  const rows = await db<Row[]>`
    SELECT DISTINCT ON (name) runtime, version, first_registered_at, last_registered_at, registered_by, description
    FROM task_types ORDER BY name, registration DESC`;
  return rows.map(typeOf);
}

/** The version of a task type that is in force; undefined if none was ever registered. */
export async function findLatestTaskType(db: Db, name: string): Promise<TaskType | undefined> {
  const [row] = await db<Row[]>`
    SELECT runtime, version, first_registered_at, last_registered_at, registered_by, description
    FROM task_types WHERE name = ${name} ORDER BY registration DESC LIMIT 1`;
  return row && typeOf(row);
}

/** A version of a task type; undefined if it was never registered. */
export async function findTaskType(db: Db, name: string, version: string): Promise<TaskType | undefined> {
  const [row] = await db<Row[]>`
    SELECT runtime, version, first_registered_at, last_registered_at, registered_by, description
    FROM task_types WHERE name = ${name} AND version = ${version}`;
  return row && typeOf(row);
}

function typeOf({ description, ...row }: Row): TaskType {
  return { ...description, ...row };
}

/** A queue that workers registered, and what runs its tasks. */
export interface RegisteredQueue {
  name: string;
  runtime: TaskRuntime;
}

/** What is registered, as far as it changes: of the task types the number of the last registration. */
export async function findRegistrations(db: Db): Promise<{ last: number; queues: RegisteredQueue[] }> {
  const [row] = await db<Array<{ last: number; queues: RegisteredQueue[] }>>`
    SELECT (SELECT coalesce(max(registration), 0) FROM task_types) AS last,
      (SELECT coalesce(jsonb_agg(jsonb_build_object('name', name, 'runtime', runtime)), '[]') FROM task_queues) AS queues`;
  return row!;
}
