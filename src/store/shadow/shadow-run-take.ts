import type { TakenRun } from '../../domain/builds/shadow-runs.ts';
import type { Db } from '../database.ts';

/** Takes a run for a build; returns false if another build has it, or if the build already has a run. */
export async function takeShadowRun(db: Db, place: string, run: TakenRun): Promise<boolean> {
  const taken = await db`
    INSERT INTO shadow_runs ${db({ place, ...run })} ON CONFLICT DO NOTHING RETURNING run_id`;
  return taken.length > 0;
}
