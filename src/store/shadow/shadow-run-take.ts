import type { TakenRun } from '../../domain/builds/shadow-runs.ts';
import { type Db, databaseFault } from '../database.ts';
import { isFree } from './shadow-run-is-free.ts';

/**
 * Takes a run for a build. Returns false if another build has it, if the build already has a run, or if the build has ended and the run
 * is not a doubled one: a look for runs may still be under way when its build is cancelled. A build that has ended without a run has
 * none, whatever such a look took for it.
 */
export async function takeShadowRun(db: Db, place: string, run: TakenRun): Promise<boolean> {
  const { run_id, run_url, run_created_at, build_id, doubled } = run;
  const taking = db`
    INSERT INTO shadow_runs (place, run_id, run_url, run_created_at, build_id, doubled)
    SELECT ${place}, ${run_id}, ${run_url}, ${run_created_at}, ${build_id}, ${doubled}
    WHERE ${doubled} OR NOT EXISTS (SELECT FROM builds WHERE id = ${build_id} AND completed_at IS NOT NULL)
    ON CONFLICT (place, run_id) DO UPDATE SET build_id = excluded.build_id, doubled = excluded.doubled WHERE ${isFree(db)}
    RETURNING run_id`;
  const taken = await taking.catch((error: unknown) => {
    // The build has another run of its own.
    if (databaseFault(error)?.kind !== 'conflict') throw error;
    return [];
  });
  return taken.length > 0;
}
