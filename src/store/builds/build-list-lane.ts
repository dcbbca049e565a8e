import type { Db } from '../database.ts';

/** Another build in the lane of one that is queued. */
export interface LaneMate {
  id: number;
  workflow_id: string;
  status: 'queued' | 'in_progress';
  /** Whether it was queued later and cancels earlier builds. */
  supersedes: boolean;
}

/** A build looks at this many of those before it: how many more there are makes no difference to it. */
export const LANE_MATES = 30;

/**
 * The builds that a queued build waits for: the one of its lane that is in progress and those queued before it, but first
 * those that supersede it. Empty if it is its turn, if it is no longer queued, or if it takes no turns.
 */
export function listLaneMates(db: Db, id: number): Promise<LaneMate[]> {
  return db<LaneMate[]>`
    SELECT other.id, other.workflow_id, other.status, supersedes
    FROM builds AS own JOIN builds AS other ON other.lane = own.lane AND other.completed_at IS NULL AND other.id <> own.id,
      LATERAL (SELECT (other.queued_at, other.id) > (own.queued_at, own.id) AS later) AS placed,
      LATERAL (SELECT later AND other.concurrency = 'cancel_previous' AS supersedes) AS judged
    WHERE own.id = ${id}::bigint AND own.status = 'queued' AND (supersedes OR NOT later OR other.status = 'in_progress')
    ORDER BY supersedes DESC, other.status, other.queued_at, other.id LIMIT ${LANE_MATES}`;
}
