import type { Db } from '../database.ts';

/** Deletes a refused message. */
export async function deleteDeadMessage(db: Db, id: string): Promise<void> {
  await db`DELETE FROM dead_messages WHERE id = ${id}`;
}
