import { LIMITS } from '../../contracts/budgets.ts';
import type { DeadMessage } from '../../contracts/celery/dead-message.ts';
import type { Db } from '../database.ts';

type NewDeadMessage = Pick<
  DeadMessage,
  'id' | 'queue' | 'reason' | 'detail' | 'task_id' | 'task' | 'publication' | 'body'
>;

/** Saves a refused message. If the same message is refused again, it waits again and its count grows. */
export async function saveDeadMessage(db: Db, message: NewDeadMessage): Promise<void> {
  const now = new Date().toISOString();
  await db`
    INSERT INTO dead_messages ${db({ ...message, refusals: 1, first_refused_at: now, created_at: now })}
    ON CONFLICT (id) DO UPDATE SET reason = excluded.reason, detail = excluded.detail, refusals = dead_messages.refusals + 1,
      created_at = excluded.created_at, settled = NULL, settled_by = NULL, settled_at = NULL`;
  // Now and then, saving a message also deletes the oldest ones.
  if (Math.random() < 0.02) await forgetOldest(db);
}

/** Deletes the messages beyond the budget, oldest first. RabbitMQ's queue still has them. */
async function forgetOldest(db: Db): Promise<void> {
  const { deadMessages: most, deadMessagesCharacters } = LIMITS.messages;
  await db`
    DELETE FROM dead_messages WHERE id IN (SELECT id FROM (
      SELECT id, row_number() OVER newest AS nth, sum(length(body)) OVER newest AS characters
      FROM dead_messages WINDOW newest AS (ORDER BY created_at DESC, id DESC)
    ) AS kept WHERE nth > ${most} OR characters > ${deadMessagesCharacters})`;
}
