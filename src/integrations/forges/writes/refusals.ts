import { type Arrived, type ForgeResponse, messageOf, rateLimitWait } from '../../../domain/github/response.ts';
import type { ForgeTransport } from '../transport/transport.ts';
import type { PacedRequests } from './paced-requests.ts';

/** GitHub lists a new workflow file only some seconds after it was pushed. Whoever named a wrong one still learns it soon. */
const MISSING_WORKFLOW_PATIENCE_MS = 600_000;
/** Longer than parts of GitHub need to learn a new token. */
const YOUNG_LOGIN_PATIENCE_MS = 60_000;

/** GitHub's words if a credential lacks a right, whatever the request. */
const NO_RIGHT =
  /resource not accessible|resource protected|must have (admin|write|push)|should have a permission|required scope|saml|ip allow list|login attempts|suspended/i;

/** A page with one entry, in the parameters of every forge. */
const ONE = { per_page: 1, limit: 1 };

/** The repository and workflow that a request needs. */
export interface Wanted {
  owner: string;
  repo: string;
  /** File name or number of the workflow in a dispatch. */
  workflow?: string;
}

/**
 * Finds out why GitHub refuses a write with 403 or 404. Returns a response with `trouble` if a person must change something first, the
 * response itself if the request is at fault, and "not sent" if GitHub does not say.
 * @param explainsWorkflows whether the default branch says which workflows there are. If not, the response itself says.
 */
export async function explainRefusal(
  transport: ForgeTransport,
  requests: PacedRequests,
  response: ForgeResponse,
  { owner, repo, workflow }: Wanted,
  explainsWorkflows: boolean,
): Promise<ForgeResponse> {
  if (!('status' in response) || response.trouble || (response.status !== 403 && response.status !== 404))
    return response;
  if (isLimited(response)) return response;
  const repository = `${owner}/${repo}`;
  const said = saidBy(response);
  const { forge } = transport;
  if ((response.status === 403 && NO_RIGHT.test(messageOf(response.body))) || lacksScope(response)) {
    return { ...response, trouble: { reason: lacksRight(transport, repository, said) } };
  }
  const seen = await requests.get('GET /repos/{owner}/{repo}/actions/runs', { owner, repo, ...ONE });
  if (!('status' in seen) || seen.status >= 500 || isLimited(seen)) return undecided(forge, said);
  if (seen.trouble) return { ...response, trouble: seen.trouble };
  if (seen.status >= 400) {
    transport.forgetLogin(owner, repo);
    return { ...response, trouble: { reason: notShown(transport, repository, saidBy(seen)) } };
  }
  if (explainsWorkflows && workflow !== undefined && response.status === 404) {
    const read = await readWorkflow(requests, { owner, repo, workflow });
    if (!('status' in read) || read.status >= 500 || isLimited(read)) return undecided(forge, said);
    if (read.status === 404) {
      const reason = `${repository} has no workflow ${workflow} on its default branch ${said}; push the file, or correct GITHUB_WORKFLOW or the workflow of the configuration`;
      return { ...response, trouble: { reason, patience_ms: MISSING_WORKFLOW_PATIENCE_MS } };
    }
  }
  if (!transport.isYoungLogin(owner, repo)) return response;
  const reason = `GitHub may not know the new token of the app everywhere yet ${said}`;
  return { ...response, trouble: { reason, patience_ms: YOUNG_LOGIN_PATIENCE_MS } };
}

export function readWorkflow(
  requests: PacedRequests,
  { owner, repo, workflow }: Required<Wanted>,
): Promise<ForgeResponse> {
  const route = 'GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}';
  return requests.get(route, { owner, repo, workflow_id: workflow });
}

/** Says whether the response shows that a classic token has none of the scopes that would suffice. */
function lacksScope({ headers }: Arrived): boolean {
  const scopes = (text = '') => text.split(',').flatMap((scope) => scope.trim() || []);
  const wanted = scopes(headers['x-accepted-oauth-scopes']);
  const had = headers['x-oauth-scopes'];
  return had !== undefined && wanted.length > 0 && !wanted.some((scope) => scopes(had).includes(scope));
}

function undecided(forge: string, said: string): ForgeResponse {
  return { code: 'UNDECIDED', message: `${forge} refused it ${said} and does not say why`, wait_ms: null };
}

export function isLimited({ status, headers, body }: Arrived): boolean {
  return rateLimitWait(status, headers, body, Date.now()) !== undefined;
}

export function saidBy({ status, body }: Arrived): string {
  return `(${status}: ${messageOf(body)})`;
}

type Names = Pick<ForgeTransport, 'forge' | 'credential' | 'repositorySetting'>;

export function lacksRight({ forge, credential }: Names, repository: string, said: string): string {
  const right =
    forge === 'GitHub' ? '"Actions: read and write"' : 'the scope write:repository, and its user the right to write';
  return `${credential}: lacks a right on ${repository} ${said}; give it ${right}`;
}

export function notShown({ credential, repositorySetting }: Names, repository: string, said: string): string {
  return `the credential cannot see ${repository} ${said}; correct the name (${repositorySetting}) or give ${credential} access to it`;
}
