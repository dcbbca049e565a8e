import type { Db } from '../database.ts';

/** Takes ids of builds for good. Unused ids become gaps, which mean nothing. */
export async function reserveBuildIds(db: Db, count: number): Promise<number[]> {
  const rows = await db<Array<{ id: number }>>`
    SELECT nextval('build_ids') AS id FROM generate_series(1, ${count}::integer)`;
  return rows.map(({ id }) => id);
}
