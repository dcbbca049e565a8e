import type { Db } from '../database.ts';

/** Deletes how the members of a chord ended, once its body was published. */
export async function deleteChordParts(db: Db, group_id: string): Promise<void> {
  await db`DELETE FROM chord_parts WHERE group_id = ${group_id}`;
}
