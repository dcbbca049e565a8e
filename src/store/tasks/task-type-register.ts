import type { TaskTypeRegistration } from '../../contracts/tasks/task-type.ts';
import { typeVersionOf } from '../../domain/tasks/task-types.ts';
import { type Db, inTransaction } from '../database.ts';

/** Any fixed number. It makes registrations take turns, so that each gets the next number. */
export const REGISTRATION_LOCK = 4_841_060;

/** How long a registration is kept. A worker without one counts as serving all types of its queues, as one of an old version does. */
const REMEMBERED = '90 days';

/**
 * Records what a worker serves. A known version is in force again from now on.
 * @returns the version of each type.
 */
export async function registerTaskTypes(
  db: Db,
  { identity, runtime, queues, types }: TaskTypeRegistration,
): Promise<Array<{ name: string; version: string }>> {
  const rows = types.map((description) => {
    const { name } = description;
    return { name, version: typeVersionOf(runtime, description), description };
  });
  const served = [...new Set([...queues, ...types.map(({ queue }) => queue)])];
  await inTransaction(db, async (tx) => {
    await tx`SELECT pg_advisory_xact_lock(${REGISTRATION_LOCK})`;
    await tx`
      INSERT INTO task_types (name, version, runtime, description, first_registered_at, last_registered_at, registered_by, registration)
      SELECT name, version, ${runtime}, description, now(), now(), ${identity}, 1 + coalesce((SELECT max(registration) FROM task_types), 0)
      FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS served(name text, version text, description jsonb)
      ON CONFLICT (name, version) DO UPDATE SET last_registered_at = excluded.last_registered_at,
        registered_by = excluded.registered_by, registration = excluded.registration, retired_at = NULL`;
    await tx`
      INSERT INTO task_queues (name, runtime, first_registered_at, last_registered_at, registered_by)
      SELECT name, ${runtime}, now(), now(), ${identity}
      FROM jsonb_array_elements_text(${JSON.stringify(served)}::jsonb) AS served(name)
      ON CONFLICT (name, runtime) DO UPDATE SET last_registered_at = excluded.last_registered_at,
        registered_by = excluded.registered_by`;
    const names = JSON.stringify(types.map(({ name }) => name));
    await tx`
      INSERT INTO task_type_workers (identity, runtime, names, registered_at)
      VALUES (${identity}, ${runtime}, ${names}::jsonb, clock_timestamp())
      ON CONFLICT (identity, runtime) DO UPDATE SET names = excluded.names, registered_at = excluded.registered_at`;
    await tx`DELETE FROM task_type_workers WHERE registered_at < now() - ${REMEMBERED}::interval`;
  });
  return rows.map(({ name, version }) => ({ name, version }));
}
