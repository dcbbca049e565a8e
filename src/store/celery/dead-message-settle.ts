import { and, eq, isNull } from 'drizzle-orm';
import type { DeadMessage } from '../../contracts/celery/dead-message.ts';
import type { Db } from '../database.ts';
import { deadMessages } from '../schema.ts';

/** Takes a refused message off the list, unless it was settled, or refused again, since it was read. Nothing is deleted. */
export async function settleDeadMessage(
  db: Db,
  { id, refusals }: Pick<DeadMessage, 'id' | 'refusals'>,
  settled: NonNullable<DeadMessage['settled']>,
  by: string,
): Promise<boolean> {
  const rows = await db
    .update(deadMessages)
    .set({ settled, settled_by: by, settled_at: new Date().toISOString() })
    .where(and(eq(deadMessages.id, id), eq(deadMessages.refusals, refusals), isNull(deadMessages.settled)))
    .returning({ id: deadMessages.id });
  return rows.length > 0;
}
