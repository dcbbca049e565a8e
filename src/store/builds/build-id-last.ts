import type { Db } from '../database.ts';

/** The last id of a build that was reserved; 0 where none was. */
export async function lastBuildId(db: Db): Promise<number> {
  const [row] = await db<Array<{ last: number }>>`
    SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS last FROM build_ids`;
  return row!.last;
}
