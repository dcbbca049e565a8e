import { patched } from '@temporalio/workflow';
import type { BuildInput } from '../../contracts/builds/build-workflow.ts';
import type { FailedJob } from '../../contracts/builds/failed-job.ts';
import type { Run } from '../../contracts/github/github.ts';
import { statusOf } from '../../domain/builds/build.ts';
import { githubActivities } from '../activities.ts';
import type { Ended } from './follow.ts';

/** Adds the failed jobs to the end of a run, if it ended badly. Asks GitHub for a minute at most: then the end is recorded without them. */
export async function withFailedJobs(
  { policy, request }: BuildInput,
  run: Run,
  ended: Ended,
): Promise<Ended & { failed_jobs?: FailedJob[] }> {
  const { conclusion, run_attempt } = ended;
  if (statusOf(conclusion) !== 'failure' || conclusion === 'run_deleted' || run_attempt === null) return ended;
  if (!patched('why-it-failed')) return ended;
  const asked = { forge: request.forge, repository: request.repository, run_id: run.run_id, run_attempt };
  const failed_jobs = await githubActivities(policy.request_timeout_ms)
    .readFailedJobs(asked)
    .catch(() => []);
  return failed_jobs.length === 0 ? ended : { ...ended, failed_jobs };
}

/** Returns the jobs that failed as lines of Markdown. */
export function failedJobsInMarkdown(jobs: readonly FailedJob[]): string {
  return jobs
    .map(({ name, conclusion, url, steps, annotations }) => {
      const title = url === null ? name : `[${name}](${url})`;
      const where = steps.map((step) => step.name).join(', ');
      const why = annotations[0] ? `: ${annotations[0].message.split('\n', 1)[0]}` : '';
      return `\n- ${title} ${conclusion}${where === '' ? '' : ` in ${where}`}${why}`;
    })
    .join('');
}
