import type { Db } from '../database.ts';

/** Another build of the concurrency group of a queued build. (The column `lane` names the group.) */
export interface BuildAhead {
  id: number;
  workflow_id: string;
  status: 'queued' | 'in_progress';
  /** Whether it was queued later and cancels earlier builds. */
  supersedes: boolean;
}

/** How many of the builds before it a build looks at. More would make no difference to it. */
export const MOST_AHEAD = 30;

/**
 * Lists the builds that a queued build waits for: the one of its group in progress and those queued before it. Builds that
 * supersede it come first. Empty if it is next, if it is no longer queued, or if it has no group.
 */
export function listBuildsAhead(db: Db, id: number): Promise<BuildAhead[]> {
  return db<BuildAhead[]>`
    SELECT other.id, other.workflow_id, other.status, supersedes
    FROM builds AS own JOIN builds AS other ON other.lane = own.lane AND other.completed_at IS NULL AND other.id <> own.id,
      LATERAL (SELECT (other.queued_at, other.id) > (own.queued_at, own.id) AS later) AS placed,
      LATERAL (SELECT later AND other.concurrency = 'cancel_previous' AS supersedes) AS judged
    WHERE own.id = ${id}::bigint AND own.status = 'queued' AND (supersedes OR NOT later OR other.status = 'in_progress')
    ORDER BY supersedes DESC, other.status, other.queued_at, other.id LIMIT ${MOST_AHEAD}`;
}
