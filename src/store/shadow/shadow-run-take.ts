import type { TakenRun } from '../../domain/builds/shadow-runs.ts';
import type { Db } from '../database.ts';

/**
 * Takes a run for a build. Returns false if another build has it, if the build already has a run, or if the build has ended and the run
 * is not a doubled one: a look for runs may still be under way when its build is cancelled.
 */
export async function takeShadowRun(db: Db, place: string, run: TakenRun): Promise<boolean> {
  const { run_id, run_url, run_created_at, build_id, doubled } = run;
  const taken = await db`
    INSERT INTO shadow_runs (place, run_id, run_url, run_created_at, build_id, doubled)
    SELECT ${place}, ${run_id}, ${run_url}, ${run_created_at}, ${build_id}, ${doubled}
    WHERE ${doubled} OR NOT EXISTS (SELECT FROM builds WHERE id = ${build_id} AND completed_at IS NOT NULL)
    ON CONFLICT DO NOTHING RETURNING run_id`;
  return taken.length > 0;
}
