import type { Db } from '../database.ts';
import { measureQueues } from './queue-measure.ts';

/**
 * Records how much waits and runs in each queue, once a minute by the clock of the database, however many processes try.
 * @returns whether this call recorded it.
 */
export async function sampleQueues(db: Db): Promise<boolean> {
  const [due] = await db<Array<{ minute: string }>>`
    SELECT minute FROM date_trunc('minute', now()) AS minute
    WHERE NOT EXISTS (SELECT FROM queue_samples WHERE taken_at = minute)`;
  if (!due) return false;
  const measured = await measureQueues(db);
  const rows = measured.map(({ name, depth, inFlight, oldestAgeSeconds }) => ({
    ...{ queue: name, depth, in_flight: inFlight, oldest_age_seconds: oldestAgeSeconds },
  }));
  const recorded = await db`
    INSERT INTO queue_samples (taken_at, queue, depth, in_flight, oldest_age_seconds, accepted)
    SELECT ${due.minute}::timestamptz, queue, depth, in_flight, oldest_age_seconds, CASE queue
      WHEN 'builds' THEN (SELECT count(*) FROM builds WHERE ${acceptedBefore(db, due.minute)})
      ELSE (SELECT count(*) FROM tasks WHERE tasks.queue = measured.queue AND ${acceptedBefore(db, due.minute)}) END
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      AS measured(queue text, depth integer, in_flight integer, oldest_age_seconds real)
    ON CONFLICT DO NOTHING RETURNING queue`;
  return recorded.length > 0;
}

function acceptedBefore(db: Db, minute: string) {
  return db`created_at >= ${minute}::timestamptz - interval '1 minute' AND created_at < ${minute}::timestamptz`;
}
