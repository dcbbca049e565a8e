import type { BuildRequest } from '../../../contracts/builds/event.ts';
import type { DispatchOutcome, RerunOutcome } from '../../../contracts/github/github.ts';
import { ownerAndRepo } from '../../../domain/github/repository.ts';
import {
  type Arrived,
  classifyDispatch,
  classifyRerun,
  type ForgeResponse,
  messageOf,
} from '../../../domain/github/response.ts';
import type { Dialect } from '../dialects/dialect.ts';
import type { ForgeTransport } from '../transport/transport.ts';
import type { PacedRequests } from './paced-requests.ts';
import { explainRefusal } from './refusals.ts';

type Correlation = { input: string; token: string } | null;

/** Writes to a forge: dispatches, re-runs, cancellations. Each waits for its turn ({@link PacedRequests.post}). */
export class Writes {
  readonly #transport: ForgeTransport;
  readonly #requests: PacedRequests;
  readonly #dialect: Dialect;

  constructor(transport: ForgeTransport, requests: PacedRequests, dialect: Dialect) {
    this.#dialect = dialect;
    this.#transport = transport;
    this.#requests = requests;
  }

  /**
   * Sends one dispatch. It sends a second one only if GitHub refused the first because of an unknown field or input.
   * @throws if another program sends the dispatches of this build. No code may call this for such a build.
   */
  async dispatch(request: BuildRequest, correlation: Correlation): Promise<DispatchOutcome> {
    if (request.shadow) throw new Error('another program sends this dispatch');
    let response = await this.#postDispatch(request, correlation);
    let correlated = correlation !== null;
    if ('status' in response && correlation && refusesInput(response, correlation.input)) {
      response = await this.#postDispatch(request, null);
      correlated = false;
    }
    const explained = await this.#explain(response, request.repository, request.workflow);
    return classifyDispatch(explained, correlated, Date.now(), this.#transport.forge);
  }

  /** Requests one more attempt of an ended run, of all its jobs or of the failed ones. It sends the request once. */
  async rerun(repository: string, runId: number, failedJobsOnly: boolean): Promise<RerunOutcome> {
    const route = `POST /repos/{owner}/{repo}/actions/runs/{run_id}/${failedJobsOnly ? 'rerun-failed-jobs' : 'rerun'}`;
    const response = await this.#requests.post(route, { ...ownerAndRepo(repository), run_id: runId });
    return classifyRerun(await this.#explain(response, repository), Date.now(), this.#transport.forge);
  }

  /** Requests that the run stop; returns false if it has ended or no longer exists. @throws {ForgeError} */
  cancel(repository: string, runId: number): Promise<boolean> {
    return this.#dialect.cancel(this.#requests, { repository, run_id: runId });
  }

  #postDispatch(request: BuildRequest, correlation: Correlation): Promise<ForgeResponse> {
    const inputs = correlation ? { ...request.inputs, [correlation.input]: correlation.token } : request.inputs;
    return this.#dialect.dispatch(this.#requests, { ...request, inputs });
  }

  /** Returns the response to a write. If a person must change something before GitHub accepts it, the response says what. */
  async #explain(response: ForgeResponse, repository: string, workflow?: string): Promise<ForgeResponse> {
    const wanted = { ...ownerAndRepo(repository), ...(workflow ? { workflow } : {}) };
    const { numbers_workflows } = this.#dialect.capabilities;
    const explained = await explainRefusal(this.#transport, this.#requests, response, wanted, numbers_workflows);
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
