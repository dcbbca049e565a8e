import type { BuildRequest } from '../../../contracts/builds/event.ts';
import type { FailedJob } from '../../../contracts/builds/failed-job.ts';
import type { RunView } from '../../../contracts/github/github.ts';
import type { Capabilities } from '../../../domain/forges/capabilities.ts';
import type { ForgeResponse } from '../../../domain/github/response.ts';
import type { ListedPage, Seen } from '../../../domain/github/run-listing.ts';
import type { ListedArtifacts } from '../runs/artifacts.ts';
import type { PacedRequests } from '../writes/paced-requests.ts';

/** A run in a repository OWNER/NAME. */
export interface RunPlace {
  repository: string;
  run_id: number;
}

/**
 * The requests and responses of one kind of forge. What a response means, when a request may be sent and how runs are followed are the same
 * for all kinds, and not part of this.
 */
export interface Dialect {
  readonly capabilities: Capabilities;

  /** Sends one dispatch. A response that names the run has GitHub's form: `workflow_run_id` and `html_url`. */
  dispatch(requests: PacedRequests, request: BuildRequest): Promise<ForgeResponse>;

  /** Requests that the run stop; returns false if it has ended or no longer exists. @throws {ForgeError} */
  cancel(requests: PacedRequests, run: RunPlace): Promise<boolean>;

  /**
   * Returns the run as it is now. @param seen what is known of it. If its status is the same, its attempt need not be looked up.
   * @throws {ForgeError}
   */
  readRun(requests: PacedRequests, run: RunPlace, seen?: Seen): Promise<RunView>;

  /** Returns one page of a repository's runs, newest first; undefined if the page still has this ETag. @throws {ForgeError} */
  readRunPage(
    requests: PacedRequests,
    repository: string,
    page: number,
    etag?: string,
  ): Promise<ListedPage | undefined>;

  /** Returns why an attempt of a run failed. @throws {ForgeError} if the forge does not list the jobs. */
  readFailedJobs(requests: PacedRequests, run: RunPlace, attempt: number): Promise<FailedJob[]>;

  /** Returns the artifacts of a run, as many as are recorded. @throws {ForgeError} */
  readArtifacts(requests: PacedRequests, run: RunPlace): Promise<ListedArtifacts>;

  /**
   * Returns Sigstore bundles about the thing with this digest, unchanged; null for one that is not available. Empty if the forge keeps no
   * attestations. @throws {ForgeError}
   */
  readAttestations(requests: PacedRequests, repository: string, digest: string): Promise<unknown[]>;
}
