import type { Db } from '../database.ts';

/** The samples of a queue in a span of time, combined. */
export interface QueueBucket {
  queue: string;
  /** The start of the span. */
  at: string;
  depth: number;
  in_flight: number;
  oldest_age_seconds: number | null;
  accepted: number;
}

/**
 * Lists the samples of all queues between two times, in spans of `bucketSeconds`. Takes the highest of each span, so that
 * peaks stay visible.
 */
export function listQueueHistory(
  db: Db,
  { since, until, bucketSeconds }: { since: string; until: string; bucketSeconds: number },
): Promise<QueueBucket[]> {
  return db<QueueBucket[]>`
    SELECT queue, date_bin(make_interval(secs => ${bucketSeconds}::integer), taken_at, 'epoch'::timestamptz) AS at,
      max(depth) AS depth, max(in_flight) AS in_flight, max(oldest_age_seconds) AS oldest_age_seconds, sum(accepted) AS accepted
    FROM queue_samples WHERE taken_at >= ${since}::timestamptz AND taken_at < ${until}::timestamptz
    GROUP BY queue, at ORDER BY at, queue`;
}
