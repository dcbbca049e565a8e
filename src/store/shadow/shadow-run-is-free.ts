import type { Db } from '../database.ts';

/**
 * Says in SQL that a row of `shadow_runs` counts no more: its build has ended without the run. A look that was under way when the build
 * was cancelled may have taken it.
 */
export function isFree(db: Db) {
  return db`NOT shadow_runs.doubled AND EXISTS (
    SELECT FROM builds WHERE id = shadow_runs.build_id AND completed_at IS NOT NULL AND workflow_run_id IS NULL)`;
}
