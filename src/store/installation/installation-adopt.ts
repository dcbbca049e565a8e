import type { Db } from '../database.ts';

/**
 * Makes a record without events belong to an installation whose database was lost.
 * @returns whether it did; a record with events stays as it is.
 */
export async function adoptInstallation(db: Db, id: string, lastEpoch: number): Promise<boolean> {
  const adopted = await db`
    UPDATE installation SET id = ${id}::uuid, epoch = ${lastEpoch}::integer + 1
    WHERE NOT EXISTS (SELECT FROM events) RETURNING epoch`;
  return adopted.length > 0;
}
