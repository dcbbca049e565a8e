import type { TaskRuntime } from '../../contracts/tasks/task-queues.ts';
import type { TaskType, TaskTypeDescription } from '../../contracts/tasks/task-type.ts';
import type { Db } from '../database.ts';

type Row = Pick<TaskType, 'runtime' | 'version' | 'first_registered_at' | 'last_registered_at' | 'registered_by'> & {
  description: TaskTypeDescription;
};

/** Lists the version in force of each task type, by name. Leaves out retired types. */
export async function listTaskTypes(db: Db): Promise<TaskType[]> {
  const rows = await db<Row[]>`
    SELECT runtime, version, first_registered_at, last_registered_at, registered_by, description
    FROM (SELECT DISTINCT ON (name) * FROM task_types ORDER BY name, registration DESC) AS latest
    WHERE retired_at IS NULL`;
  return rows.map(typeOf);
}

/** Finds the version in force of a task type; undefined if none was ever registered, or if it is retired. */
export async function findLatestTaskType(db: Db, name: string): Promise<TaskType | undefined> {
  const [row] = await db<Row[]>`
    SELECT runtime, version, first_registered_at, last_registered_at, registered_by, description
    FROM (SELECT * FROM task_types WHERE name = ${name} ORDER BY registration DESC LIMIT 1) AS latest
    WHERE retired_at IS NULL`;
  return row && typeOf(row);
}

/** Finds a version of a task type; undefined if it was never registered. */
export async function findTaskType(db: Db, name: string, version: string): Promise<TaskType | undefined> {
  const [row] = await db<Row[]>`
    SELECT runtime, version, first_registered_at, last_registered_at, registered_by, description
    FROM task_types WHERE name = ${name} AND version = ${version}`;
  return row && typeOf(row);
}

function typeOf({ description, ...row }: Row): TaskType {
  return { ...description, ...row };
}

/** A queue that workers registered, with its runtime. */
export interface RegisteredQueue {
  name: string;
  runtime: TaskRuntime;
}

/** Finds the registered queues, and a value that changes with each registration. */
export async function findRegistrations(db: Db): Promise<{ last: string; queues: RegisteredQueue[] }> {
  const [row] = await db<Array<{ last: string; queues: RegisteredQueue[] }>>`
    SELECT concat((SELECT max(registration) FROM task_types), ' ', (SELECT max(registered_at) FROM task_type_workers)) AS last,
      (SELECT coalesce(jsonb_agg(jsonb_build_object('name', name, 'runtime', runtime)), '[]') FROM task_queues) AS queues`;
  return row!;
}

/** A worker, and the names of the task types that it registered last. */
export interface RegisteredWorker {
  identity: string;
  runtime: TaskRuntime;
  names: string[];
}

/** Lists what each worker registered last, including workers that have left. */
export function listRegisteredWorkers(db: Db): Promise<RegisteredWorker[]> {
  return db<RegisteredWorker[]>`SELECT identity, runtime, names FROM task_type_workers`;
}
