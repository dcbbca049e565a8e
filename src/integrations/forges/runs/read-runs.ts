import { z } from 'zod';
import type { ListedRun, RunView } from '../../../contracts/github/github.ts';
import { ownerAndRepo } from '../../../domain/github/repository.ts';
import type { Arrived, ForgeResponse } from '../../../domain/github/response.ts';
import { type ListedPage, PAGE } from '../../../domain/github/run-listing.ts';
import type { RunPlace } from '../dialects/dialect.ts';
import { expectSuccess } from '../forge-error.ts';
import type { PacedRequests } from '../writes/paced-requests.ts';

const run = z.object({
  id: z.int(),
  html_url: z.string(),
  status: z.string().nullable(),
  conclusion: z.string().nullable(),
  run_attempt: z.int().optional(),
  display_title: z.string(),
  event: z.string(),
  head_branch: z.string().nullable(),
  head_sha: z.string().optional(),
  path: z.string(),
  workflow_id: z.int().optional(),
  created_at: z.string(),
});
const runPage = z.object({ total_count: z.int().optional(), workflow_runs: z.array(run) });

/** Returns a run as it is now. @throws {ForgeError} */
export async function readRun(requests: PacedRequests, { repository, run_id }: RunPlace): Promise<RunView> {
  const route = 'GET /repos/{owner}/{repo}/actions/runs/{run_id}';
  const response = await expectSuccess(requests.get(route, { ...ownerAndRepo(repository), run_id }));
  return view(run.parse(response.body), response);
}

/** Returns one page of a repository's runs, newest first; undefined if the page still has this ETag. @throws {ForgeError} */
export async function readRunPage(
  requests: PacedRequests,
  repository: string,
  page: number,
  etag?: string,
): Promise<ListedPage | undefined> {
  const response = await listRuns(requests, repository, {
    per_page: PAGE,
    ...(page > 1 ? { page } : {}),
    ...(etag ? { headers: { 'if-none-match': etag } } : {}),
  });
  if ('status' in response && response.status === 304) return undefined;
  const read = await expectSuccess(response);
  return { etag: read.headers.etag, runs: readRuns(read), last: isLastPage(read, page) };
}

/** Says whether a forge shows the runs of a repository. @throws {ForgeError} if it does not say. */
export async function seesRuns(requests: PacedRequests, repository: string): Promise<boolean> {
  const response = await listRuns(requests, repository, { per_page: 1, limit: 1 });
  if ('status' in response && response.status === 404) return false;
  await expectSuccess(response, requests.forge);
  return true;
}

function listRuns(requests: PacedRequests, repository: string, parameters: object): Promise<ForgeResponse> {
  return requests.get('GET /repos/{owner}/{repo}/actions/runs', { ...ownerAndRepo(repository), ...parameters });
}

function readRuns(response: Arrived): ListedRun[] {
  return runPage.parse(response.body).workflow_runs.map((listed) => ({
    ...view(listed, response),
    title: listed.display_title,
    event: listed.event,
    head_branch: listed.head_branch,
    path: listed.path,
    workflow_id: listed.workflow_id,
    created_at: new Date(listed.created_at).toISOString(),
  }));
}

/** Says whether no page follows. GitHub leaves some runs out of full pages, so a short page proves nothing; an empty one does. */
function isLastPage({ headers, body }: Arrived, page: number): boolean {
  const { workflow_runs: runs, total_count = 0 } = runPage.parse(body);
  if (runs.length === 0) return true;
  return runs.length < PAGE && total_count <= page * PAGE && !/rel="next"/.test(headers.link ?? '');
}

function view(read: z.infer<typeof run>, { headers }: Arrived): RunView {
  return {
    run_id: read.id,
    run_url: read.html_url,
    status: read.status ?? 'unknown',
    conclusion: read.conclusion,
    run_attempt: read.run_attempt ?? 1,
    request_id: headers['x-github-request-id'] ?? null,
    ...(read.head_sha ? { commit: read.head_sha } : {}),
  };
}
