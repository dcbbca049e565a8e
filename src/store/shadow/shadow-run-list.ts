import type { TakenRun } from '../../domain/builds/shadow-runs.ts';
import type { Db } from '../database.ts';
import { isFree } from './shadow-run-is-free.ts';

/** Lists the runs of a place that builds have, made at this time or later. */
export async function listShadowRuns(db: Db, place: string, since: string): Promise<TakenRun[]> {
  return db<TakenRun[]>`
    SELECT run_id, run_url, run_created_at, build_id, doubled FROM shadow_runs
    WHERE place = ${place} AND run_created_at >= ${since} AND NOT (${isFree(db)})
    ORDER BY run_created_at, run_id`;
}
