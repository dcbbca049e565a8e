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
import { type ListedArtifacts, readArtifacts } from '../runs/artifacts.ts';
import type { PacedRequests } from '../writes/paced-requests.ts';
import type { Dialect, RunPlace } from './dialect.ts';

const run = z.object({
  id: z.int(),
  html_url: z.string(),
  status: z.string(),
  /** Left out until the run has ended. */
  conclusion: z.string().optional(),
  /** 0 up to Gitea 1.26, even after a re-run. */
  run_attempt: z.int().default(0),
  display_title: z.string(),
  event: z.string(),
  head_branch: z.string().optional(),
  head_sha: z.string().optional(),
  /** `build.yml@refs/heads/main`. */
  path: z.string(),
  /** In 1970 until the run starts, and again when it is rerun. */
  started_at: z.string(),
});
const runPage = z.object({ total_count: z.int(), workflow_runs: z.array(run) });
const jobPage = z.object({
  total_count: z.int(),
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

/** The largest page that Gitea returns, unless its MAX_RESPONSE_ITEMS says otherwise. */
export const GITEA_PAGE = 50;
/** How many pages of a run's jobs are read. */
const MAX_JOB_PAGES = 10;

/** Gitea's REST API, as of version 1.26. */
export const giteaDialect: Dialect = {
  capabilities: capabilitiesOf({ kind: 'gitea' }),

  dispatch(requests: PacedRequests, request: BuildRequest): Promise<ForgeResponse> {
    // Gitea ignores the parameter in the body.
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

  /** Returns artifacts in GitHub's form, without digests. */
  readArtifacts(requests: PacedRequests, place: RunPlace): Promise<ListedArtifacts> {
    return readArtifacts(requests, place, { limit: GITEA_PAGE });
  },

  async readAttestations() {
    return [];
  },
};

async function listJobs(requests: PacedRequests, { repository, run_id }: RunPlace) {
  const listed: z.infer<typeof jobPage>['jobs'] = [];
  for (let page = 1; page <= MAX_JOB_PAGES; page++) {
    const route = 'GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs';
    const parameters = { ...ownerAndRepo(repository), run_id, limit: GITEA_PAGE, page };
    const { jobs, total_count } = jobPage.parse((await expectSuccess(requests.get(route, parameters), 'Gitea')).body);
    listed.push(...jobs);
    if (jobs.length === 0 || listed.length >= total_count) break;
  }
  return listed;
}

function viewOf(read: z.infer<typeof run>, run_attempt: number): RunView {
  const { id, html_url, status, conclusion = null, head_sha } = read;
  const commit = head_sha ? { commit: head_sha } : {};
  return { run_id: id, run_url: html_url, status, conclusion, run_attempt, request_id: null, ...commit };
}

/**
 * Returns runs with the latest time at which each can have been created: before it started, and before every newer run.
 * @param answeredAt time of the forge's clock. No run in its response is newer.
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
