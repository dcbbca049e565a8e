import type { CallbackInput } from '../../contracts/endings/callback-workflow.ts';
import { targetOf } from '../../contracts/endings/callback-workflow.ts';
import { type Db, join } from '../database.ts';
import { ENDINGS } from './ending-find.ts';

const PROJECTIONS = [
  ['build', 'builds'],
  ['task', 'tasks'],
] as const;

/** Lists callbacks about endings within this time that the record does not show as delivered or given up. */
export async function listUntoldCallbacks(db: Db, endedWithinMs: number): Promise<CallbackInput[]> {
  const recent = PROJECTIONS.map(
    ([kind, table]) => db`
      SELECT ${db.unsafe(`'${kind}:' || id`)} AS stream FROM ${db.unsafe(table)}
      WHERE completed_at > clock_timestamp() - ${endedWithinMs}::float8 * interval '1 millisecond'`,
  );
  const rows = await db<Array<{ stream: string; target: string; ending: string; tries: number }>>`
    SELECT asked.stream, asked.target, ended.dedupe_key AS ending, tries
    FROM callback_targets AS asked JOIN (${join(db, recent, db` UNION ALL `)}) AS recent USING (stream),
      LATERAL (
        SELECT dedupe_key FROM events
        WHERE stream = asked.stream AND jsonb_exists(${JSON.stringify(ENDINGS)}::jsonb, type) ORDER BY seq DESC LIMIT 1
      ) AS ended,
      LATERAL (SELECT concat_ws('-', ended.dedupe_key, nullif(asked.target, '')) AS step) AS told,
      LATERAL (
        SELECT count(*)::integer AS tries,
          coalesce(bool_or(type = 'callback_delivered' OR data -> 'next_at' = 'null'), false) AS over
        FROM events WHERE stream = asked.stream AND starts_with(dedupe_key, 'callback:' || step || ':')
      ) AS tried
    WHERE NOT over`;
  return rows.map(({ stream, target, ending, tries }) => ({
    subject: stream,
    ending,
    ...targetOf(target),
    ...(tries > 0 ? { tries } : {}),
  }));
}
