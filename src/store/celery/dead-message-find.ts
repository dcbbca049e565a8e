import type { DeadMessage } from '../../contracts/celery/dead-message.ts';
import type { Db } from '../database.ts';

/** Finds the refused message with this id, even if it was redriven or discarded. */
export async function findDeadMessage(db: Db, id: string): Promise<DeadMessage | undefined> {
  const [row] = await db<DeadMessage[]>`SELECT * FROM dead_messages WHERE id = ${id}`;
  return row;
}
