import type { Db } from '../database.ts';

/** How many builds and tasks ended in an hour, by how. */
export interface EndingsOfHour {
  /** Begin of the hour, ISO 8601. */
  hour: string;
  succeeded: number;
  failed: number;
}

/**
 * Endings by the hour, from a time on; hours without any are there too. What was created more than two days before that time is
 * left out, so that the index of what is newest finds them: only what waited for long ends later.
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

/** Failures that have the same cause. */
export interface FailureGroup {
  kind: 'build' | 'task';
  /** Workflow file of builds, name of tasks. */
  name: string;
  /** Conclusion of builds, type of the error of tasks. */
  cause: string;
  count: number;
  /** The last of them. */
  last_id: string;
  last_at: string;
}

/** Failures since a time, by their causes, the most frequent first; as {@link countEndingsByHour}. */
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
