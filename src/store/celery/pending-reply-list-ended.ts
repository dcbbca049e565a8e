import type { AnswerInput } from '../../contracts/endings/answer-workflow.ts';
import type { Db } from '../database.ts';

/**
 * Lists the tasks that ended within this time, each with its ending, if the record does not say that every sender got a reply. It does
 * not say so of replies by the answer workflow.
 */
export async function listEndingsWithPendingReplies(db: Db, endedWithinMs: number): Promise<AnswerInput[]> {
  const rows = await db<Array<{ task_id: string; ending: string }>>`
    SELECT tasks.id AS task_id, ended.dedupe_key AS ending
    FROM tasks, LATERAL (
      SELECT dedupe_key FROM events
      WHERE stream = 'task:' || tasks.id AND type IN ('task_succeeded', 'task_failed', 'task_revoked')
      ORDER BY seq DESC LIMIT 1
    ) AS ended
    WHERE completed_at > clock_timestamp() - ${endedWithinMs}::float8 * interval '1 millisecond'
      AND EXISTS (SELECT FROM owed WHERE owed.task_id = tasks.id AND owed.answered IS DISTINCT FROM ended.dedupe_key)`;
  return [...rows];
}
