import { z } from 'zod';
import type { BuildRequest } from '../../../contracts/builds/event.ts';
import type { FailedJob } from '../../../contracts/builds/failed-job.ts';
import type { ListedRun, RunView } from '../../../contracts/github/github.ts';
import { attemptOf } from '../../../domain/forges/attempt-of-jobs.ts';
import { capabilitiesOf } from '../../../domain/forges/capabilities.ts';
import { describeFailedJobs, jobsThatFailed } from '../../../domain/github/failed-jobs.ts';
import { ownerAndRepo } from '../../../domain/github/repository.ts';
import type { ForgeResponse } from '../../../domain/github/response.ts';
import type { ListedPage, Seen } from '../../../domain/github/run-listing.ts';
import { expectSuccess, ForgeError } from '../forge-error.ts';
import type { PacedRequests } from '../writes/paced-requests.ts';
import type { Dialect, RunPlace } from './dialect.ts';

const run = z.object({
  id: z.int(),
  html_url: z.string(),
  status: z.string(),
  /** Left out until the run has ended. */
  conclusion: z.string().optional(),
  /** 0 up to 1.26, also after a re-run. */
  run_attempt: z.int().default(0),
  display_title: z.string(),
  event: z.string(),
  head_branch: z.string().optional(),
  /** `build.yml@refs/heads/main`. */
  path: z.string(),
  /** 1970 until it begins, and again where it is run again. */
  started_at: z.string(),
});
const runPage = z.object({ total_count: z.int(), workflow_runs: z.array(run) });
const jobPage = z.object({
  jobs: z.array(
    z.object({
      id: z.int(),
      name: z.string(),
      status: z.string(),
      conclusion: z.string().nullish(),
      html_url: z.string().nullish(),
      run_attempt: z.int().default(0),
      steps: z.array(z.object({ number: z.int(), name: z.string(), conclusion: z.string().nullish() })).nullish(),
    }),
  ),
});

/** The largest page that Gitea gives unless its MAX_RESPONSE_ITEMS says otherwise. */
export const GITEA_PAGE = 50;
/** Jobs of a run are read so far. */
const MAX_JOB_PAGES = 10;

/** Gitea's REST API as of 1.26. */
export const giteaDialect: Dialect = {
  capabilities: capabilitiesOf({ kind: 'gitea' }),

  dispatch(requests: PacedRequests, request: BuildRequest): Promise<ForgeResponse> {
    // In the body, Gitea ignores it.
    const route = 'POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches?return_run_details=true';
    const { workflow: workflow_id, ref, inputs } = request;
    return requests.post(route, { ...ownerAndRepo(request.repository), workflow_id, ref, inputs });
  },

  async cancel(): Promise<boolean> {
    throw new ForgeError('Gitea has no way to stop a run');
  },

  async readRun(requests: PacedRequests, { repository, run_id }: RunPlace, seen?: Seen): Promise<RunView> {
    const route = 'GET /repos/{owner}/{repo}/actions/runs/{run_id}';
    const response = await expectSuccess(requests.get(route, { ...ownerAndRepo(repository), run_id }), 'Gitea');
    const read = run.parse(response.body);
    if (read.run_attempt > 0) return viewOf(read, read.run_attempt);
    if (seen && read.status === seen.status && read.status !== 'completed') return viewOf(read, seen.run_attempt);
    return viewOf(read, attemptOf(await listJobs(requests, { repository, run_id })));
  },

  async readRunPage(requests: PacedRequests, repository: string, page: number): Promise<ListedPage> {
    const route = 'GET /repos/{owner}/{repo}/actions/runs';
    const parameters = { ...ownerAndRepo(repository), limit: GITEA_PAGE, page };
    const { body, headers } = await expectSuccess(requests.get(route, parameters), 'Gitea');
    const { workflow_runs, total_count } = runPage.parse(body);
    const last = workflow_runs.length === 0 || page * workflow_runs.length >= total_count;
    return { etag: undefined, runs: listedRuns(workflow_runs, headers.date), last };
  },

  async readFailedJobs(requests: PacedRequests, place: RunPlace): Promise<FailedJob[]> {
    const jobs = await listJobs(requests, place);
    const listed = jobs.map(({ id, name, status, conclusion, html_url, steps }) => ({
      ...{ id, name, status, conclusion: conclusion ?? null, url: html_url ?? null },
      steps: (steps ?? []).map((step) => ({ ...step, conclusion: step.conclusion ?? null })),
    }));
    return describeFailedJobs(jobsThatFailed(listed), () => []);
  },
};

async function listJobs(requests: PacedRequests, { repository, run_id }: RunPlace) {
  const listed: z.infer<typeof jobPage>['jobs'] = [];
  for (let page = 1; page <= MAX_JOB_PAGES; page++) {
    const route = 'GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs';
    const parameters = { ...ownerAndRepo(repository), run_id, limit: GITEA_PAGE, page };
    const { jobs } = jobPage.parse((await expectSuccess(requests.get(route, parameters), 'Gitea')).body);
    listed.push(...jobs);
    if (jobs.length < GITEA_PAGE) break;
  }
  return listed;
}

function viewOf({ id, html_url, status, conclusion }: z.infer<typeof run>, run_attempt: number): RunView {
  return { run_id: id, run_url: html_url, status, conclusion: conclusion ?? null, run_attempt, request_id: null };
}

/**
 * Runs with the latest time that each may have been made: it was made before it began, and before every run that is newer.
 * @param answeredAt what the forge's clock showed; no run in its response is newer.
 */
function listedRuns(runs: z.infer<typeof run>[], answeredAt: string | undefined): ListedRun[] {
  let madeBefore = Number.isNaN(Date.parse(answeredAt ?? '')) ? Date.now() : Date.parse(answeredAt!) + 1_000;
  return runs.map((listed) => {
    const startedAt = Date.parse(listed.started_at);
    if (startedAt > 0) madeBefore = Math.min(madeBefore, startedAt);
    return {
      ...viewOf(listed, listed.run_attempt),
      title: listed.display_title,
      event: listed.event,
      head_branch: listed.head_branch ?? null,
      path: listed.path,
      workflow_id: undefined,
      created_at: new Date(madeBefore).toISOString(),
    };
  });
}
