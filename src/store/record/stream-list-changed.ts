import type { Db } from '../database.ts';

/** Lists the first `limit` events after a position and up to another, each as its position and stream. */
export function listChangedStreams(
  db: Db,
  after: number,
  until: number,
  limit: number,
): Promise<Array<{ position: number; stream: string }>> {
  return db<Array<{ position: number; stream: string }>>`
    SELECT position, stream FROM events WHERE position > ${after}::bigint AND position <= ${until}::bigint
    ORDER BY position LIMIT ${limit}`;
}
