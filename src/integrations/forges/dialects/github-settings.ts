import { z } from 'zod';
import type { Arrived, ForgeResponse } from '../../../domain/github/response.ts';
import { expectSuccess } from '../forge-error.ts';
import { type ForgeTransport, isLoginTrouble } from '../transport/transport.ts';
import type { PacedRequests } from '../writes/paced-requests.ts';
import { isLimited, lacksRight, notShown, readWorkflow, saidBy, type Wanted } from '../writes/refusals.ts';

const repositoryResponse = z.object({
  full_name: z.string(),
  permissions: z.object({ push: z.boolean().optional() }).optional(),
});
const workflowResponse = z.object({ state: z.string() });

/** Faults in the settings of one repository and workflow. */
export interface SettingFaults {
  /** No build can be dispatched before these are corrected. One line each, which begins with the setting. */
  faults: string[];
  /** Settings that work for now. */
  hints: string[];
}

/**
 * Reads the repository and the workflow of builds, once each, and returns the faults of their settings.
 * @throws {ForgeError} if GitHub does not say: it is away, or limits requests.
 */
export async function findSettingFaults(
  transport: ForgeTransport,
  requests: PacedRequests,
  wanted: Required<Wanted>,
): Promise<SettingFaults> {
  const { faults, hints } = await findRepositoryFaults(transport, requests, wanted);
  if (faults.length > 0) return { faults, hints };
  return { faults: await findWorkflowFaults(transport, requests, wanted), hints };
}

/** Does the same as {@link findSettingFaults}, but for the repository only. @throws {ForgeError} */
export async function findRepositoryFaults(
  transport: ForgeTransport,
  requests: PacedRequests,
  { owner, repo }: Omit<Wanted, 'workflow'>,
): Promise<SettingFaults> {
  const { credential, apiUrl } = transport;
  const repository = `${owner}/${repo}`;
  const only = (fault: string): SettingFaults => ({ faults: [fault], hints: [] });
  const found = await requests.get('GET /repos/{owner}/{repo}', { owner, repo });
  if (isLoginTrouble(found)) return only(`GITHUB_APP_ID: ${found.message}`);
  const seen = await orAway(found);
  if (seen.trouble) return only(seen.trouble.reason);
  if (seen.status >= 400) return only(`GITHUB_REPO: ${notShown(transport, repository, saidBy(seen))}`);
  const read = repositoryResponse.safeParse(seen.body);
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
    return { faults: [lacksRight(transport, repository, '(it may only read)')], hints };
  }
  return { faults: [], hints };
}

/** Returns the faults of the workflow in a visible repository. @throws {ForgeError} */
export async function findWorkflowFaults(
  transport: ForgeTransport,
  requests: PacedRequests,
  { owner, repo, workflow }: Required<Wanted>,
): Promise<string[]> {
  const repository = `${owner}/${repo}`;
  const file = await orAway(await readWorkflow(requests, { owner, repo, workflow }));
  if (file.trouble) return [file.trouble.reason];
  if (file.status === 403) return [lacksRight(transport, repository, saidBy(file))];
  if (file.status >= 400) {
    return [
      `GITHUB_WORKFLOW: ${repository} has no workflow ${workflow} on its default branch ${saidBy(file)}; push the file or correct its name`,
    ];
  }
  const state = workflowResponse.safeParse(file.body).data?.state ?? 'active';
  if (state === 'active') return [];
  return [`GITHUB_WORKFLOW: the workflow ${workflow} of ${repository} is ${state}; enable it on its page at GitHub`];
}

/** Returns a response that says whether the thing exists. @throws {ForgeError} if there is no response, or it does not say. */
async function orAway(response: ForgeResponse): Promise<Arrived> {
  if (!('status' in response) || response.status >= 500 || isLimited(response)) return expectSuccess(response);
  return response;
}
