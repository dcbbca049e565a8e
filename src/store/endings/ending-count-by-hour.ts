import type { Db } from '../database.ts';

/** How many builds and tasks succeeded and failed in an hour. */
export interface EndingsOfHour {
  /** The start of the hour, ISO 8601. */
  hour: string;
  succeeded: number;
  failed: number;
}

/**
 * Counts endings by hour since a time; hours without any are included. Leaves out builds and tasks created more than two
 * days before that time, so that the index by creation finds the rest; only those that waited long end later.
 * @param since ISO 8601.
 */
export function countEndingsByHour(db: Db, since: string): Promise<EndingsOfHour[]> {
  return db<EndingsOfHour[]>`
    WITH endings AS (
      SELECT completed_at, status = 'success' AS good, status = 'failure' AS bad FROM builds
      WHERE created_at >= ${since}::timestamptz - interval '2 days' AND completed_at >= ${since}::timestamptz
      UNION ALL
      SELECT completed_at, status = 'SUCCESS', status = 'FAILURE' FROM tasks
      WHERE created_at >= ${since}::timestamptz - interval '2 days' AND completed_at >= ${since}::timestamptz
    )
    SELECT hour, count(*) FILTER (WHERE good) AS succeeded, count(*) FILTER (WHERE bad) AS failed
    FROM generate_series(date_trunc('hour', ${since}::timestamptz), now(), interval '1 hour') AS hours(hour)
    LEFT JOIN endings ON completed_at >= hour AND completed_at < hour + interval '1 hour'
    GROUP BY hour ORDER BY hour`;
}

/** Failures with the same cause. */
export interface FailureGroup {
  kind: 'build' | 'task';
  /** Workflow file of builds, name of tasks. */
  name: string;
  /** Conclusion of builds, type of the error of tasks. */
  cause: string;
  count: number;
  /** The id of the last one. */
  last_id: string;
  last_at: string;
}

/** Groups failures since a time by their causes, most frequent first. Leaves out the same ones as {@link countEndingsByHour}. */
export function groupFailures(db: Db, since: string, limit: number): Promise<FailureGroup[]> {
  return db<FailureGroup[]>`
    SELECT kind, name, cause, count(*) AS count, (array_agg(id ORDER BY completed_at DESC))[1] AS last_id,
           max(completed_at) AS last_at
    FROM (
      SELECT 'build' AS kind, request ->> 'workflow' AS name, coalesce(conclusion, 'unknown') AS cause, id::text AS id, completed_at
      FROM builds
      WHERE status = 'failure' AND created_at >= ${since}::timestamptz - interval '2 days' AND completed_at >= ${since}::timestamptz
      UNION ALL
      SELECT 'task', name, coalesce(error ->> 'type', 'unknown'), id, completed_at FROM tasks
      WHERE status = 'FAILURE' AND created_at >= ${since}::timestamptz - interval '2 days' AND completed_at >= ${since}::timestamptz
    ) AS failures
    GROUP BY kind, name, cause ORDER BY count(*) DESC, max(completed_at) DESC LIMIT ${limit}`;
}
