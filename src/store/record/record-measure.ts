import { quotaDay } from '../../domain/content/quota-day.ts';
import { QUOTA_BUCKET } from '../content/quota-bucket.ts';
import type { Db } from '../database.ts';
import { measureQueues, type QueueMeasures } from '../tasks/queue-measure.ts';

export interface RecordMeasures {
  queues: QueueMeasures[];
  deadLetters: number;
  /** The last position of the log. Counting its events would read all of them. */
  lastPosition: number;
  /** Time since the last checkpoint, in seconds; 0 if no event came after it, null if there is none. */
  checkpointAgeSeconds: number | null;
  /** Units of the YouTube Data API used today. */
  youtubeUnitsUsed: number;
}

/** Measures what is worth watching in the record, in two queries that read only small indexes. */
export async function measureRecord(db: Db): Promise<RecordMeasures> {
  const today = quotaDay(Date.now());
  const [queues, [row]] = await Promise.all([
    measureQueues(db),
    db<Array<Omit<RecordMeasures, 'queues'>>>`
      SELECT (SELECT count(*) FROM builds WHERE dead_lettered OR needs_attention)
               + (SELECT count(*) FROM tasks WHERE dead_lettered)
               + (SELECT count(*) FROM dead_messages WHERE settled IS NULL) AS "deadLetters",
             (SELECT coalesce(max(position), 0) FROM events) AS "lastPosition",
             (SELECT CASE WHEN end_position < (SELECT max(position) FROM events)
                THEN extract(epoch FROM clock_timestamp() - made_at) ELSE 0 END
              FROM checkpoints ORDER BY size DESC LIMIT 1) AS "checkpointAgeSeconds",
             (SELECT coalesce(sum(units_used), 0) FROM quota_days WHERE bucket = ${QUOTA_BUCKET} AND day = ${today}::date) AS "youtubeUnitsUsed"`,
  ]);
  return { queues, ...row! };
}
