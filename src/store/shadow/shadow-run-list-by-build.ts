import type { TakenRun } from '../../domain/builds/shadow-runs.ts';
import type { Db } from '../database.ts';

/** Lists the runs that a build has, oldest first. */
export async function listShadowRunsOfBuild(db: Db, buildId: number): Promise<TakenRun[]> {
  return db<TakenRun[]>`
    SELECT run_id, run_url, run_created_at, build_id, doubled FROM shadow_runs
    WHERE build_id = ${buildId} ORDER BY run_created_at, run_id`;
}
