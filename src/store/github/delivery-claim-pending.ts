import type { AnnouncedRun } from '../../contracts/github/github.ts';
import type { Db } from '../database.ts';

/** Claims deliveries whose work is due, longest due first: it failed, or the process that had claimed it is gone. */
export async function claimPendingDeliveries(
  db: Db,
  forMs: number,
  limit: number,
): Promise<Array<{ id: string; run: AnnouncedRun }>> {
  const until = db`clock_timestamp() + ${forMs}::float8 * interval '1 millisecond'`;
  return db<Array<{ id: string; run: AnnouncedRun }>>`
    UPDATE deliveries SET claimed_until = ${until}, due_at = ${until}
    WHERE id IN (
      SELECT id FROM deliveries
      WHERE NOT settled AND due_at <= clock_timestamp() AND claimed_until <= clock_timestamp()
      ORDER BY due_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)
    RETURNING id, run`;
}
