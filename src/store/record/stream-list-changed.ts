import type { Db } from '../database.ts';

/** The position of the newest event of the log; 0 where there is none. */
export async function findLogHead(db: Db): Promise<number> {
  const [row] = await db<Array<{ head: number | null }>>`SELECT max(position) AS head FROM events`;
  return row?.head ?? 0;
}

/** Which streams have events after a position, and where, the first `limit` of them. */
export function listChangedStreams(
  db: Db,
  after: number,
  limit: number,
): Promise<Array<{ position: number; stream: string }>> {
  return db<Array<{ position: number; stream: string }>>`
    SELECT position, stream FROM events WHERE position > ${after}::bigint ORDER BY position LIMIT ${limit}`;
}
