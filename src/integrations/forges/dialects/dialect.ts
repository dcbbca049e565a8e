import type { BuildRequest } from '../../../contracts/builds/event.ts';
import type { FailedJob } from '../../../contracts/builds/failed-job.ts';
import type { RunView } from '../../../contracts/github/github.ts';
import type { Capabilities } from '../../../domain/forges/capabilities.ts';
import type { ForgeResponse } from '../../../domain/github/response.ts';
import type { ListedPage, Seen } from '../../../domain/github/run-listing.ts';
import type { PacedRequests } from '../writes/paced-requests.ts';

/** A run in a repository OWNER/NAME. */
export interface RunPlace {
  repository: string;
  run_id: number;
}

/**
 * How one kind of forge words requests and responses. What a response means, when a request may be sent and how runs are followed is
 * the same for all of them, and is not asked here.
 */
export interface Dialect {
  readonly capabilities: Capabilities;

  /** Sends one dispatch. A response that names the run has GitHub's form: `workflow_run_id` and `html_url`. */
  dispatch(requests: PacedRequests, request: BuildRequest): Promise<ForgeResponse>;

  /** Asks for the run to be stopped; false where it has ended or is gone. @throws {ForgeError} */
  cancel(requests: PacedRequests, run: RunPlace): Promise<boolean>;

  /**
   * The run as it is now. @param seen what is known of it: where its status is the same, its attempt need not be looked up.
   * @throws {ForgeError}
   */
  readRun(requests: PacedRequests, run: RunPlace, seen?: Seen): Promise<RunView>;

  /** One page of a repository's runs, newest first; undefined where it still has this ETag. @throws {ForgeError} */
  readRunPage(
    requests: PacedRequests,
    repository: string,
    page: number,
    etag?: string,
  ): Promise<ListedPage | undefined>;

  /** Why an attempt of a run ended badly. @throws {ForgeError} where the jobs are not listed. */
  readFailedJobs(requests: PacedRequests, run: RunPlace, attempt: number): Promise<FailedJob[]>;
}
