import type { PendingReply } from '../../contracts/celery/celery.ts';
import type { AnswerInput } from '../../contracts/endings/answer-workflow.ts';
import type { Db } from '../database.ts';
import { detailsOf } from './pending-reply-save.ts';

/**
 * Records that a sender got a reply about an ending, so that the comparison with Temporal does not reply again. Does nothing if another
 * message of the sender is saved: other tasks may follow that one.
 */
export async function settlePendingReply(
  db: Db,
  { task_id, ending }: AnswerInput,
  pending: PendingReply,
): Promise<void> {
  await db`
    UPDATE owed SET answered = ${ending}
    WHERE task_id = ${task_id} AND reply_to = ${pending.reply_to} AND details = ${detailsOf(pending)}`;
}
