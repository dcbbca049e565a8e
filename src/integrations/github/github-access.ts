import { z } from 'zod';
import { type DispatchAnswer, messageOf, rateLimitWait } from '../../domain/github/dispatch-answer.ts';
import { type Answer, type GitHubRequests, isLoginTrouble } from './github-requests.ts';

/** GitHub lists a new workflow file some seconds after it was pushed; who has named a wrong one learns it soon. */
const MISSING_WORKFLOW_PATIENCE_MS = 600_000;
/** Longer than the parts of GitHub take to know a new token. */
const YOUNG_LOGIN_PATIENCE_MS = 60_000;

/** GitHub's words where a credential lacks a right, whatever it asks for. */
const NO_RIGHT =
  /resource not accessible|resource protected|must have (admin|write|push)|saml|ip allow list|login attempts|suspended/i;

/** What is wanted of a repository. */
export interface Wanted {
  owner: string;
  repo: string;
  /** File name or number of the workflow that a dispatch names. */
  workflow?: string;
}

/**
 * Finds out why GitHub refuses a write with 403 or 404: an answer with `trouble` where a person has to change something
 * first, the answer as it is where the request itself is at fault, and one that says "not sent" where GitHub does not tell.
 */
export async function explainRefusal(
  requests: GitHubRequests,
  answer: DispatchAnswer,
  { owner, repo, workflow }: Wanted,
): Promise<DispatchAnswer> {
  if (!('status' in answer) || answer.trouble || (answer.status !== 403 && answer.status !== 404)) return answer;
  if (isLimited(answer)) return answer;
  const repository = `${owner}/${repo}`;
  const said = saidBy(answer);
  const { credential } = requests;
  if ((answer.status === 403 && NO_RIGHT.test(messageOf(answer.body))) || lacksScope(answer)) {
    return { ...answer, trouble: { reason: lacksRight(credential, repository, said) } };
  }
  const seen = await requests.get('GET /repos/{owner}/{repo}/actions/runs', { owner, repo, per_page: 1 });
  if (!('status' in seen) || seen.status >= 500 || isLimited(seen)) return undecided(said);
  if (seen.trouble) return { ...answer, trouble: seen.trouble };
  if (seen.status >= 400) {
    requests.forgetLogin(owner, repo);
    return { ...answer, trouble: { reason: notShown(credential, repository, saidBy(seen)) } };
  }
  if (workflow !== undefined && answer.status === 404) {
    const read = await readWorkflow(requests, { owner, repo, workflow });
    if (!('status' in read) || read.status >= 500 || isLimited(read)) return undecided(said);
    if (read.status === 404) {
      const reason = `${repository} has no workflow ${workflow} on its default branch ${said}; push the file, or correct GITHUB_WORKFLOW or the workflow of the configuration`;
      return { ...answer, trouble: { reason, patience_ms: MISSING_WORKFLOW_PATIENCE_MS } };
    }
  }
  if (!requests.isYoungLogin(owner, repo)) return answer;
  const reason = `GitHub may not know the new token of the app everywhere yet ${said}`;
  return { ...answer, trouble: { reason, patience_ms: YOUNG_LOGIN_PATIENCE_MS } };
}

const repositoryAnswer = z.object({
  full_name: z.string(),
  permissions: z.object({ push: z.boolean().optional() }).optional(),
});
const workflowAnswer = z.object({ state: z.string() });

/** What is wrong with the settings of one repository and workflow. */
export interface SettingFaults {
  /** No build can be dispatched before these are mended; one line each, which begins with the setting. */
  faults: string[];
  /** What works for now. */
  hints: string[];
}

/**
 * Reads the repository and the workflow that builds name, once each.
 * @throws {GitHubError} where GitHub does not say: it is away, or limits requests.
 */
export async function findSettingFaults(
  requests: GitHubRequests,
  apiUrl: string,
  { owner, repo, workflow }: Required<Wanted>,
): Promise<SettingFaults> {
  const repository = `${owner}/${repo}`;
  const { credential } = requests;
  const only = (fault: string): SettingFaults => ({ faults: [fault], hints: [] });
  const found = await requests.get('GET /repos/{owner}/{repo}', { owner, repo });
  if (isLoginTrouble(found)) return only(`GITHUB_APP_ID: ${found.message}`);
  const seen = await orAway(requests, found);
  if (seen.trouble) return only(seen.trouble.reason);
  if (seen.status >= 400) return only(`GITHUB_REPO: ${notShown(credential, repository, saidBy(seen))}`);
  const read = repositoryAnswer.safeParse(seen.body);
  if (!read.success) {
    return only(
      `GITHUB_API_URL: ${apiUrl} does not respond like GitHub's API; use https://api.github.com, or https://HOST/api/v3 for an Enterprise Server`,
    );
  }
  const { full_name, permissions } = read.data;
  const hints =
    full_name.toLowerCase() === repository.toLowerCase()
      ? []
      : [
          `GITHUB_REPO: ${repository} is now called ${full_name}; use that name, because somebody else may take the old one`,
        ];
  if (credential === 'GITHUB_TOKEN' && permissions?.push === false) {
    return { faults: [lacksRight(credential, repository, '(it may only read)')], hints };
  }
  const file = await orAway(requests, await readWorkflow(requests, { owner, repo, workflow }));
  if (file.trouble) return { faults: [file.trouble.reason], hints };
  if (file.status === 403) return { faults: [lacksRight(credential, repository, saidBy(file))], hints };
  if (file.status >= 400) {
    const fault = `GITHUB_WORKFLOW: ${repository} has no workflow ${workflow} on its default branch ${saidBy(file)}; push the file or correct its name`;
    return { faults: [fault], hints };
  }
  const state = workflowAnswer.safeParse(file.body).data?.state ?? 'active';
  if (state === 'active') return { faults: [], hints };
  return {
    faults: [`GITHUB_WORKFLOW: the workflow ${workflow} of ${repository} is ${state}; enable it on its page at GitHub`],
    hints,
  };
}

/** An answer that says whether the thing is there. @throws {GitHubError} where none came, or one that says nothing of it. */
async function orAway(requests: GitHubRequests, answer: DispatchAnswer): Promise<Answer> {
  if (!('status' in answer) || answer.status >= 500 || isLimited(answer)) return requests.expect(answer);
  return answer;
}

function readWorkflow(requests: GitHubRequests, { owner, repo, workflow }: Required<Wanted>): Promise<DispatchAnswer> {
  const route = 'GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}';
  return requests.get(route, { owner, repo, workflow_id: workflow });
}

/** Whether the answer says that a classic token has none of the scopes that would do. */
function lacksScope({ headers }: Answer): boolean {
  const scopes = (text = '') => text.split(',').flatMap((scope) => scope.trim() || []);
  const wanted = scopes(headers['x-accepted-oauth-scopes']);
  const had = headers['x-oauth-scopes'];
  return had !== undefined && wanted.length > 0 && !wanted.some((scope) => scopes(had).includes(scope));
}

function undecided(said: string): DispatchAnswer {
  return { code: 'UNDECIDED', message: `GitHub refused it ${said} and does not say why`, wait_ms: null };
}

function isLimited({ status, headers, body }: Answer): boolean {
  return rateLimitWait(status, headers, body, Date.now()) !== undefined;
}

function saidBy({ status, body }: Answer): string {
  return `(${status}: ${messageOf(body)})`;
}

function lacksRight(credential: string, repository: string, said: string): string {
  return `${credential}: lacks a right on ${repository} ${said}; give it "Actions: read and write"`;
}

function notShown(credential: string, repository: string, said: string): string {
  return `the credential cannot see ${repository} ${said}; correct the name (GITHUB_REPO, or the repository of the configuration) or give ${credential} access to it`;
}
