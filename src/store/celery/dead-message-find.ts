import { eq } from 'drizzle-orm';
import type { DeadMessage } from '../../contracts/celery/dead-message.ts';
import type { Db } from '../database.ts';
import { deadMessages } from '../schema.ts';

/** The refused message with this id, also one that was redriven or discarded. */
export async function findDeadMessage(db: Db, id: string): Promise<DeadMessage | undefined> {
  const [row] = await db.select().from(deadMessages).where(eq(deadMessages.id, id));
  return row;
}
