import type { BuildRequest } from '../../../contracts/builds/event.ts';
import { capabilitiesOf } from '../../../domain/forges/capabilities.ts';
import { ownerAndRepo } from '../../../domain/github/repository.ts';
import type { ForgeResponse } from '../../../domain/github/response.ts';
import { expectSuccess } from '../forge-error.ts';
import { readArtifacts, readAttestations } from '../runs/artifacts.ts';
import { readFailedJobs } from '../runs/failed-jobs.ts';
import { readRun, readRunPage } from '../runs/read-runs.ts';
import type { PacedRequests } from '../writes/paced-requests.ts';
import type { Dialect, RunPlace } from './dialect.ts';

/** GitHub's REST API, on github.com and on Enterprise Server. */
export class GitHubDialect implements Dialect {
  readonly capabilities = capabilitiesOf({ kind: 'github' });
  /** GitHub Enterprise Server up to 3.20 responds with 400 to `return_run_details`. Each process finds out once. */
  #namesRuns = true;

  async dispatch(requests: PacedRequests, request: BuildRequest): Promise<ForgeResponse> {
    const post = (named: boolean) =>
      requests.post('POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches', {
        ...ownerAndRepo(request.repository),
        workflow_id: request.workflow,
        ref: request.ref,
        inputs: request.inputs,
        ...(named ? { return_run_details: true } : {}),
      });
    const named = this.#namesRuns;
    const response = await post(named);
    if (!named || !('status' in response) || response.status !== 400) return response;
    const second = await post(false);
    // If GitHub refuses this too, the field was not the reason.
    if (!('status' in second) || second.status !== 400) this.#namesRuns = false;
    return second;
  }

  async cancel(requests: PacedRequests, { repository, run_id }: RunPlace): Promise<boolean> {
    const route = 'POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel';
    const response = await requests.post(route, { ...ownerAndRepo(repository), run_id });
    if ('status' in response && (response.status === 409 || response.status === 404)) return false;
    await expectSuccess(response);
    return true;
  }

  readonly readRun = readRun;
  readonly readRunPage = readRunPage;
  readonly readFailedJobs = readFailedJobs;
  readonly readArtifacts = readArtifacts;
  readonly readAttestations = readAttestations;
}
