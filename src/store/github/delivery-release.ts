import type { Db } from '../database.ts';

/**
 * Gives up the claim on a delivery whose work failed. A redelivery may do the work at once. Otherwise it is due after 1 s;
 * this doubles with each failure, up to 60 s.
 */
export async function releaseDelivery(db: Db, id: string): Promise<void> {
  await db`
    UPDATE deliveries SET
      claimed_until = clock_timestamp(),
      due_at = clock_timestamp() + least(60, power(2, least(tries, 10))) * interval '1 second',
      tries = tries + 1
    WHERE id = ${id} AND NOT settled`;
}
