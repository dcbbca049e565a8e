import type { Db } from '../database.ts';

/** Which streams have events after a position and up to another, and where, the first `limit` of them. */
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
