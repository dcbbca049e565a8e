import type { DeadMessage } from '../../contracts/celery/dead-message.ts';
import type { Db } from '../database.ts';

/** Takes a refused message off the list, unless it was settled or refused again since it was read. Deletes nothing. */
export async function settleDeadMessage(
  db: Db,
  { id, refusals }: Pick<DeadMessage, 'id' | 'refusals'>,
  settled: NonNullable<DeadMessage['settled']>,
  by: string,
): Promise<boolean> {
  const { count } = await db`
    UPDATE dead_messages SET settled = ${settled}, settled_by = ${by}, settled_at = ${new Date().toISOString()}
    WHERE id = ${id} AND refusals = ${refusals} AND settled IS NULL`;
  return count > 0;
}
