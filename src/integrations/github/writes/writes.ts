import type { BuildRequest } from '../../../contracts/builds/event.ts';
import type { DispatchOutcome, RerunOutcome } from '../../../contracts/github/github.ts';
import { ownerAndRepo } from '../../../domain/github/repository.ts';
import {
  type Arrived,
  classifyDispatch,
  classifyRerun,
  type GitHubResponse,
  messageOf,
} from '../../../domain/github/response.ts';
import { expectSuccess } from '../github-error.ts';
import type { GitHubTransport } from '../transport/transport.ts';
import type { PacedRequests } from './paced-requests.ts';
import { explainRefusal } from './refusals.ts';

type Correlation = { input: string; token: string } | null;

/** What changes something at GitHub: dispatches, re-runs, cancellations. Each waits for its turn ({@link PacedRequests.post}). */
export class Writes {
  readonly #transport: GitHubTransport;
  readonly #requests: PacedRequests;
  /** GitHub Enterprise Server up to 3.20 answers 400 to `return_run_details`; asked once per process. */
  #namesRuns = true;

  constructor(transport: GitHubTransport, requests: PacedRequests) {
    this.#transport = transport;
    this.#requests = requests;
  }

  /** Sends one dispatch, and a second only where GitHub refused the first for a field or an input that it does not know. */
  async dispatch(request: BuildRequest, correlation: Correlation): Promise<DispatchOutcome> {
    let response = await this.#postDispatch(request, correlation);
    let correlated = correlation !== null;
    if ('status' in response && correlation && refusesInput(response, correlation.input)) {
      response = await this.#postDispatch(request, null);
      correlated = false;
    }
    const explained = await this.#explain(response, request.repository, request.workflow);
    return classifyDispatch(explained, correlated, Date.now());
  }

  /** Asks once for another attempt of a run that ended, of all its jobs or of the failed ones. */
  async rerun(repository: string, runId: number, failedJobsOnly: boolean): Promise<RerunOutcome> {
    const route = `POST /repos/{owner}/{repo}/actions/runs/{run_id}/${failedJobsOnly ? 'rerun-failed-jobs' : 'rerun'}`;
    const response = await this.#requests.post(route, { ...ownerAndRepo(repository), run_id: runId });
    return classifyRerun(await this.#explain(response, repository), Date.now());
  }

  /** Asks for the run to be cancelled; false where it has ended or is gone. @throws {GitHubError} */
  async cancel(repository: string, runId: number): Promise<boolean> {
    const route = 'POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel';
    const response = await this.#requests.post(route, { ...ownerAndRepo(repository), run_id: runId });
    if ('status' in response && (response.status === 409 || response.status === 404)) return false;
    await expectSuccess(response);
    return true;
  }

  async #postDispatch(request: BuildRequest, correlation: Correlation): Promise<GitHubResponse> {
    const inputs = correlation ? { ...request.inputs, [correlation.input]: correlation.token } : request.inputs;
    const post = (named: boolean) =>
      this.#requests.post('POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches', {
        ...ownerAndRepo(request.repository),
        workflow_id: request.workflow,
        ref: request.ref,
        inputs,
        ...(named ? { return_run_details: true } : {}),
      });
    const named = this.#namesRuns;
    const response = await post(named);
    if (!named || !('status' in response) || response.status !== 400) return response;
    const second = await post(false);
    // Refused all the same, it was not for the field.
    if (!('status' in second) || second.status !== 400) this.#namesRuns = false;
    return second;
  }

  /** A response to a write, with what a person has to change where GitHub refuses it for that. */
  async #explain(response: GitHubResponse, repository: string, workflow?: string): Promise<GitHubResponse> {
    const wanted = { ...ownerAndRepo(repository), ...(workflow ? { workflow } : {}) };
    const explained = await explainRefusal(this.#transport, this.#requests, response, wanted);
    const { troubles } = this.#transport;
    const about = `${repository} ${workflow ?? 'runs'}`;
    if ('status' in explained && explained.trouble) troubles.note(about, explained.trouble.reason);
    else if ('status' in response && response.status < 300) troubles.clear(about);
    return explained;
  }
}

function refusesInput({ status, body }: Arrived, input: string): boolean {
  const message = messageOf(body);
  return status === 422 && message.startsWith('Unexpected inputs provided') && message.includes(`"${input}"`);
}
