import { z } from 'zod';
import { LIMITS } from '../../../contracts/budgets.ts';
import type { FailedJob } from '../../../contracts/builds/failed-job.ts';
import {
  type Annotation,
  describeFailedJobs,
  jobsThatFailed,
  type ListedJob,
} from '../../../domain/github/failed-jobs.ts';
import { ownerAndRepo } from '../../../domain/github/repository.ts';
import type { RunPlace } from '../dialects/dialect.ts';
import { expectSuccess } from '../forge-error.ts';
import type { PacedRequests } from '../writes/paced-requests.ts';

const PAGE = 100;

const jobPage = z.object({
  total_count: z.int(),
  jobs: z.array(
    z.object({
      id: z.int(),
      name: z.string(),
      status: z.string(),
      conclusion: z.string().nullable(),
      html_url: z.string().nullish(),
      steps: z.array(z.object({ number: z.int(), name: z.string(), conclusion: z.string().nullable() })).nullish(),
    }),
  ),
});

const annotationPage = z.array(
  z.object({
    annotation_level: z.string().nullable(),
    message: z.string().nullable(),
    title: z.string().nullish(),
    path: z.string(),
    start_line: z.int(),
  }),
);

/**
 * Reads why an attempt of a run failed: its jobs, with one request per hundred, and the annotations of each failed job, with one request
 * per job. Without the right to read checks, there are no annotations.
 * @throws {ForgeError} if GitHub does not list the jobs.
 */
export async function readFailedJobs(
  requests: PacedRequests,
  { repository, run_id }: RunPlace,
  attempt: number,
): Promise<FailedJob[]> {
  const place = ownerAndRepo(repository);
  const failed = jobsThatFailed(await listJobs(requests, { ...place, run_id, attempt_number: attempt }));
  const annotations = new Map<number, Annotation[]>();
  for (const { id } of failed.slice(0, LIMITS.failures.annotatedJobs)) {
    annotations.set(id, await listAnnotations(requests, place, id));
  }
  return describeFailedJobs(failed, ({ id }) => annotations.get(id) ?? []);
}

async function listJobs(requests: PacedRequests, attempt: Record<string, unknown>): Promise<ListedJob[]> {
  const listed: ListedJob[] = [];
  for (let page = 1; page <= LIMITS.failures.jobPages; page++) {
    const route = 'GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs';
    const response = requests.get(route, { ...attempt, per_page: PAGE, ...(page > 1 ? { page } : {}) });
    const { jobs, total_count } = jobPage.parse((await expectSuccess(response)).body);
    listed.push(...jobs.map(({ html_url, steps, ...job }) => ({ ...job, url: html_url ?? null, steps: steps ?? [] })));
    if (jobs.length === 0 || page * PAGE >= total_count) break;
  }
  return listed;
}

/** Returns the annotations of a job. Its check run has the same id. */
async function listAnnotations(
  requests: PacedRequests,
  { owner, repo }: { owner: string; repo: string },
  jobId: number,
): Promise<Annotation[]> {
  const route = 'GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations';
  const response = await requests.get(route, { owner, repo, check_run_id: jobId, per_page: PAGE });
  const read =
    'status' in response && response.status === 200 ? annotationPage.safeParse(response.body).data : undefined;
  return (read ?? []).map(({ annotation_level, message, title, path, start_line }) => ({
    level: annotation_level ?? 'notice',
    message: [title, message].filter(Boolean).join(': '),
    path,
    line: start_line,
  }));
}
