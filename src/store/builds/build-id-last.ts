import type { Db } from '../database.ts';

/** Returns the last reserved id of a build; 0 if there is none. */
export async function lastBuildId(db: Db): Promise<number> {
  const [row] = await db<Array<{ last: number }>>`
    SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS last FROM build_ids`;
  return row!.last;
}
