import { z } from 'zod';
import type { BuildRequest } from '../../../contracts/builds/event.ts';
import type { FailedJob } from '../../../contracts/builds/failed-job.ts';
import type { ListedRun, RunView } from '../../../contracts/github/github.ts';
import { attemptOf } from '../../../domain/forges/attempt-of-jobs.ts';
import { capabilitiesOf } from '../../../domain/forges/capabilities.ts';
import { type ForgejoRun, inputsOfPayload, runOfForgejo } from '../../../domain/forges/forgejo-run.ts';
import { describeFailedJobs, jobsThatFailed } from '../../../domain/github/failed-jobs.ts';
import { ownerAndRepo } from '../../../domain/github/repository.ts';
import type { ForgeResponse } from '../../../domain/github/response.ts';
import type { ListedPage, Seen } from '../../../domain/github/run-listing.ts';
import { expectSuccess, ForgeError } from '../forge-error.ts';
import type { PacedRequests } from '../writes/paced-requests.ts';
import type { Dialect, RunPlace } from './dialect.ts';
import { GITEA_PAGE } from './gitea.ts';

const run = z.object({
  id: z.int(),
  title: z.string(),
  /** File name. */
  workflow_id: z.string(),
  prettyref: z.string(),
  commit_sha: z.string().optional(),
  event: z.string(),
  /** JSON of the dispatch, which includes the inputs. */
  event_payload: z.string().default(''),
  status: z.string(),
  created: z.string(),
  html_url: z.string(),
});
const runPage = z.object({ total_count: z.int(), workflow_runs: z.array(run) });
const dispatched = z.object({ id: z.int(), run_number: z.int() });
const jobList = z.array(
  z.object({ id: z.int(), name: z.string(), status: z.string(), attempt: z.int().default(0) }).loose(),
);

/** Forgejo's REST API, as of version 16. */
export const forgejoDialect: Dialect = {
  capabilities: capabilitiesOf({ kind: 'forgejo' }),

  async dispatch(requests: PacedRequests, { repository, workflow, ref, inputs }: BuildRequest): Promise<ForgeResponse> {
    const route = 'POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches';
    const parameters = { ...ownerAndRepo(repository), workflow_id: workflow, ref, inputs, return_run_info: true };
    const response = await requests.post(route, parameters);
    if (!('status' in response) || response.status !== 201) return response;
    const named = dispatched.safeParse(response.body);
    if (!named.success) return response;
    const { id, run_number } = named.data;
    const html_url = `${requests.apiUrl.replace(/\/api\/v1$/, '')}/${repository}/actions/runs/${run_number}`;
    return { ...response, body: { workflow_run_id: id, html_url } };
  },

  /** Reads the run first, because Forgejo also responds with 204 for a run that has ended. */
  async cancel(requests: PacedRequests, place: RunPlace): Promise<boolean> {
    const route = 'POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel';
    const about = { ...ownerAndRepo(place.repository), run_id: place.run_id };
    const read = await requests.get('GET /repos/{owner}/{repo}/actions/runs/{run_id}', about);
    if ('status' in read && read.status === 404) return false;
    const { status } = runOfForgejo(run.parse((await expectSuccess(read, 'Forgejo')).body));
    if (status === 'completed') return false;
    await expectSuccess(requests.post(route, about), 'Forgejo');
    return true;
  },

  async readRun(requests: PacedRequests, { repository, run_id }: RunPlace, seen?: Seen): Promise<RunView> {
    const route = 'GET /repos/{owner}/{repo}/actions/runs/{run_id}';
    const response = await expectSuccess(requests.get(route, { ...ownerAndRepo(repository), run_id }), 'Forgejo');
    const read = run.parse(response.body);
    const { status } = runOfForgejo(read);
    if (seen && status === seen.status && status !== 'completed') return viewOf(read, seen.run_attempt);
    const jobs = await listJobs(requests, { repository, run_id });
    return viewOf(read, attemptOf(jobs.map(({ attempt, ...job }) => ({ ...job, run_attempt: attempt }))));
  },

  async readRunPage(requests: PacedRequests, repository: string, page: number): Promise<ListedPage> {
    const route = 'GET /repos/{owner}/{repo}/actions/runs';
    const parameters = { ...ownerAndRepo(repository), limit: GITEA_PAGE, page };
    const { body } = await expectSuccess(requests.get(route, parameters), 'Forgejo');
    const { workflow_runs, total_count } = runPage.parse(body);
    const last = workflow_runs.length === 0 || page * workflow_runs.length >= total_count;
    return { etag: undefined, runs: workflow_runs.map(listed), last };
  },

  async readFailedJobs(requests: PacedRequests, place: RunPlace): Promise<FailedJob[]> {
    const jobs = (await listJobs(requests, place)).map(({ id, name, status }) => ({
      ...{ id, name, url: null, steps: [] },
      ...runOfForgejo({ status }),
    }));
    return describeFailedJobs(jobsThatFailed(jobs), () => []);
  },

  async readArtifacts() {
    throw new ForgeError('Forgejo has no way to list artifacts');
  },

  async readAttestations() {
    return [];
  },
};

/** Returns all jobs of a run. Forgejo does not split them into pages. */
async function listJobs(requests: PacedRequests, { repository, run_id }: RunPlace) {
  const route = 'GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs';
  const response = await expectSuccess(requests.get(route, { ...ownerAndRepo(repository), run_id }), 'Forgejo');
  return jobList.parse(response.body);
}

function viewOf(
  read: ForgejoRun & Pick<z.infer<typeof run>, 'id' | 'html_url' | 'commit_sha'>,
  run_attempt: number,
): RunView {
  const commit = read.commit_sha ? { commit: read.commit_sha } : {};
  return { run_id: read.id, run_url: read.html_url, ...runOfForgejo(read), run_attempt, request_id: null, ...commit };
}

function listed(read: z.infer<typeof run>): ListedRun {
  return {
    ...viewOf(read, 0),
    // The title is the workflow's name, whatever its `run-name` says. The inputs contain the token.
    title: `${read.title} ${inputsOfPayload(read.event_payload)}`,
    event: read.event,
    head_branch: read.prettyref,
    path: read.workflow_id,
    workflow_id: undefined,
    created_at: new Date(read.created).toISOString(),
  };
}
