import type { FailedJob } from '../../contracts/builds/failed-job.ts';
import type { Db } from '../database.ts';
import { buildStream } from './build-stream.ts';

/** Says in a few words where the runs of builds failed: the first failed job and its step. Leaves out builds without failed jobs. */
export async function listFailedSteps(db: Db, ids: readonly number[]): Promise<Map<number, string>> {
  if (ids.length === 0) return new Map();
  const rows = await db<Array<{ stream: string; job: FailedJob | null }>>`
    SELECT DISTINCT ON (stream) stream, coalesce(told -> 'failed_jobs', data -> 'failed_jobs') -> 0 AS job FROM told_events
    WHERE stream IN (SELECT jsonb_array_elements_text(${JSON.stringify(ids.map(buildStream))}::jsonb))
      AND type = 'build_completed'
    ORDER BY stream, seq DESC`;
  return new Map(
    rows.flatMap(({ stream, job }) => {
      if (!job) return [];
      const [step] = job.steps;
      return [[Number(stream.slice(stream.indexOf(':') + 1)), step ? `${job.name}: ${step.name}` : job.name] as const];
    }),
  );
}
