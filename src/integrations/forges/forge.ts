import type { BuildRequest } from '../../contracts/builds/event.ts';
import type { FailedJob } from '../../contracts/builds/failed-job.ts';
import type { DispatchOutcome, Finding, RerunOutcome, RunView } from '../../contracts/github/github.ts';
import type { Capabilities } from '../../domain/forges/capabilities.ts';
import type { Sought } from '../../domain/github/find-runs.ts';
import { ownerAndRepo } from '../../domain/github/repository.ts';
import type { Seen } from '../../domain/github/run-listing.ts';
import type { Dialect } from './dialects/dialect.ts';
import { GitHubDialect } from './dialects/github.ts';
import {
  findRepositoryFaults,
  findSettingFaults,
  findWorkflowFaults,
  type SettingFaults,
} from './dialects/github-settings.ts';
import { expectSuccess } from './forge-error.ts';
import { Runs } from './runs/runs.ts';
import { ForgeTransport, type TransportOptions } from './transport/transport.ts';
import { listOurHooks, type OurHook } from './webhooks/our-hooks.ts';
import { redeliverMissed } from './webhooks/redelivery.ts';
import type { WritePace } from './writes/pace.ts';
import { PacedRequests } from './writes/paced-requests.ts';
import { Writes } from './writes/writes.ts';

export interface ForgeOptions extends TransportOptions {
  /** Unset: requests go as they come, for a process that only looks whether GitHub is there. */
  pace?: WritePace;
  /** Left out: GitHub's. */
  dialect?: Dialect;
}

/**
 * A forge, as far as builds need it: the port that activities ask, whatever kind it is. What differs between kinds is its
 * {@link Dialect}. What the folders do is written in each: transport, writes, runs, webhooks, dialects.
 */
export class Forge {
  readonly #dialect: Dialect;
  readonly #transport: ForgeTransport;
  readonly #requests: PacedRequests;
  readonly #writes: Writes;
  readonly #runs: Runs;

  constructor({ pace, dialect = new GitHubDialect(), ...options }: ForgeOptions) {
    this.#dialect = dialect;
    this.#transport = new ForgeTransport(options);
    this.#requests = new PacedRequests(this.#transport, pace);
    this.#writes = new Writes(this.#transport, this.#requests, dialect);
    this.#runs = new Runs(this.#requests, dialect, () => this.#transport.now());
  }

  get capabilities(): Capabilities {
    return this.#dialect.capabilities;
  }

  /** Takes the next slot for a dispatch or a re-run: milliseconds until it comes. */
  reserveWrite(): Promise<number> {
    return this.#requests.reserveWrite();
  }

  /** See {@link Writes.dispatch}. */
  dispatch(request: BuildRequest, correlation: { input: string; token: string } | null): Promise<DispatchOutcome> {
    return this.#writes.dispatch(request, correlation);
  }

  /** See {@link Writes.rerun}. */
  rerun(repository: string, runId: number, failedJobsOnly: boolean): Promise<RerunOutcome> {
    return this.#writes.rerun(repository, runId, failedJobsOnly);
  }

  /** See {@link Writes.cancel}. @throws {ForgeError} */
  cancel(repository: string, runId: number): Promise<boolean> {
    return this.#writes.cancel(repository, runId);
  }

  /** The run as it is now. @throws {ForgeError} */
  read(repository: string, runId: number): Promise<RunView> {
    return this.#runs.read(repository, runId);
  }

  /** See {@link Runs.find}. @throws {ForgeError} */
  find(repository: string, sought: Sought, ageMs: number): Promise<Finding> {
    return this.#runs.find(repository, sought, ageMs);
  }

  /** See {@link Runs.changed}. @throws {ForgeError} */
  changed(repository: string, runId: number, seen: Seen, maxAgeMs: number): ReturnType<Runs['changed']> {
    return this.#runs.changed(repository, runId, seen, maxAgeMs);
  }

  /** See {@link Runs.failedJobs}. @throws {ForgeError} */
  failedJobs(repository: string, runId: number, attempt: number): Promise<FailedJob[]> {
    return this.#runs.failedJobs(repository, runId, attempt);
  }

  /** See {@link Runs.sees}. @throws {ForgeError} */
  sees(repository: string): Promise<boolean> {
    return this.#runs.sees(repository);
  }

  /** See {@link redeliverMissed}. @param signal ends it, also where a request is out. @throws {ForgeError} */
  redeliverMissed(repository: string, since: string, signal: AbortSignal): Promise<number | 'not_allowed'> {
    return redeliverMissed(this.#requests, ownerAndRepo(repository), since, signal);
  }

  /** Whether GitHub answers at all; costs nothing of the rate limit. @throws {ForgeError} where it does not. */
  async ping(): Promise<void> {
    await expectSuccess(this.#requests.send('GET /rate_limit', {}));
  }

  /**
   * Reads whose the credential is. A forge that refuses the credential says so in {@link troubles} from then on.
   * @throws {ForgeError} where it does not answer.
   */
  async checkCredential(): Promise<void> {
    const response = await this.#requests.send('GET /user', {});
    // A token without the right to read its user is good for builds all the same.
    if ('status' in response && response.status < 500) return;
    await expectSuccess(response, this.#transport.forge);
  }

  /** See {@link findSettingFaults}. @throws {ForgeError} */
  settingFaults(repository: string, workflow: string): Promise<SettingFaults> {
    return findSettingFaults(this.#transport, this.#requests, { ...ownerAndRepo(repository), workflow });
  }

  /** See {@link findRepositoryFaults}. @throws {ForgeError} */
  repositoryFaults(repository: string): Promise<SettingFaults> {
    return findRepositoryFaults(this.#transport, this.#requests, ownerAndRepo(repository));
  }

  /** See {@link findWorkflowFaults}. @throws {ForgeError} */
  workflowFaults(repository: string, workflow: string): Promise<string[]> {
    return findWorkflowFaults(this.#transport, this.#requests, { ...ownerAndRepo(repository), workflow });
  }

  /** See {@link listOurHooks}. @throws {ForgeError} */
  ourHooks(repository: string): Promise<OurHook[] | 'not_allowed'> {
    return listOurHooks(this.#requests, ownerAndRepo(repository));
  }

  /** How far GitHub's clock is ahead of ours, milliseconds, as its last response said. */
  get clockAheadMs(): number {
    return this.#transport.now() - Date.now();
  }

  /** What people have to change before the forge takes what it refused lately; one line each. */
  get troubles(): string[] {
    return this.#transport.troubles.reasons;
  }
}
