import { sql } from 'drizzle-orm';
import { LIMITS } from '../../contracts/budgets.ts';
import type { DeadMessage } from '../../contracts/celery/dead-message.ts';
import type { Db } from '../database.ts';
import { deadMessages } from '../schema.ts';

type NewDeadMessage = Pick<
  DeadMessage,
  'id' | 'queue' | 'reason' | 'detail' | 'task_id' | 'task' | 'publication' | 'body'
>;

/** Keeps a message that was refused. The same message refused again waits again, and is counted. */
export async function saveDeadMessage(db: Db, message: NewDeadMessage): Promise<void> {
  const created_at = new Date().toISOString();
  await db
    .insert(deadMessages)
    .values({ ...message, refusals: 1, first_refused_at: created_at, created_at })
    .onConflictDoUpdate({
      target: deadMessages.id,
      set: {
        reason: message.reason,
        detail: message.detail,
        refusals: sql`${deadMessages.refusals} + 1`,
        created_at,
        settled: null,
        settled_by: null,
        settled_at: null,
      },
    });
  // Now and then one message pays for forgetting the oldest.
  if (Math.random() < 0.02) await forgetOldest(db);
}

/** Forgets what is more than the budget, the oldest first. RabbitMQ's queue still has them. */
export async function forgetOldest(db: Db): Promise<void> {
  const { deadMessages: most, deadMessagesCharacters } = LIMITS.messages;
  await db.execute(sql`
    DELETE FROM dead_messages WHERE id IN (SELECT id FROM (
      SELECT id, row_number() OVER newest AS nth, sum(length(body)) OVER newest AS characters
      FROM dead_messages WINDOW newest AS (ORDER BY created_at DESC, id DESC)
    ) AS kept WHERE nth > ${most} OR characters > ${deadMessagesCharacters})`);
}
