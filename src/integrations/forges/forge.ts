import type { Capabilities } from '../../domain/forges/capabilities.ts';
import type { Listing } from '../../domain/github/find-runs.ts';
import { ownerAndRepo } from '../../domain/github/repository.ts';
import { messageOf } from '../../domain/github/response.ts';
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
import { type Redelivered, redeliverMissed } from './webhooks/redelivery.ts';
import type { WritePace } from './writes/pace.ts';
import { PacedRequests } from './writes/paced-requests.ts';
import { Writes } from './writes/writes.ts';

export interface ForgeOptions extends TransportOptions {
  /** Left out: requests go out at once, for a process that only checks that GitHub is there. */
  pace?: WritePace;
  /** Left out: GitHub's dialect. */
  dialect?: Dialect;
}

/**
 * A forge as builds use it: the port for activities, whatever the kind. Its {@link Dialect} holds the differences between kinds. Each
 * folder describes its part: transport, writes, runs, webhooks, dialects.
 */
export class Forge {
  readonly #dialect: Dialect;
  readonly #transport: ForgeTransport;
  readonly #requests: PacedRequests;
  readonly writes: Writes;
  readonly runs: Runs;

  constructor({ pace, dialect = new GitHubDialect(), ...options }: ForgeOptions) {
    this.#dialect = dialect;
    this.#transport = new ForgeTransport(options);
    this.#requests = new PacedRequests(this.#transport, pace);
    this.writes = new Writes(this.#transport, this.#requests, dialect);
    this.runs = new Runs(this.#requests, dialect, () => this.#transport.now());
  }

  get capabilities(): Capabilities {
    return this.#dialect.capabilities;
  }

  /** Takes the next slot for a dispatch or a re-run. @returns the milliseconds until then. */
  reserveWrite(): Promise<number> {
    return this.#requests.reserveWrite();
  }

  /** Returns the runs of {@link Runs.list}, with their creation times by this machine's clock. @throws {ForgeError} */
  async list(repository: string, ageMs: number): Promise<Listing> {
    const { runs, complete } = await this.runs.list(repository, ageMs);
    const aheadMs = this.clockAheadMs;
    const byOurClock = (time: string) => new Date(Date.parse(time) - aheadMs).toISOString();
    return { complete, runs: runs.map((run) => ({ ...run, created_at: byOurClock(run.created_at) })) };
  }

  /** See {@link redeliverMissed}. @param signal stops it, even during a request. @throws {ForgeError} */
  redeliverMissed(repository: string, since: string, signal: AbortSignal): Promise<Redelivered | 'not_allowed'> {
    return redeliverMissed(this.#requests, ownerAndRepo(repository), since, signal);
  }

  /** Checks that GitHub responds. It uses none of the rate limit. @throws {ForgeError} if GitHub does not respond. */
  async ping(): Promise<void> {
    const response = await this.#requests.send('GET /rate_limit', {});
    // An Enterprise Server without rate limits says so, with a 404. It has checked the credential by then.
    if (
      'status' in response &&
      response.status === 404 &&
      /^rate limiting is not enabled/i.test(messageOf(response.body))
    )
      return;
    await expectSuccess(response);
  }

  /**
   * Reads the user of the credential. If the forge refuses the credential, {@link troubles} says so from then on.
   * @throws {ForgeError} if it does not respond.
   */
  async checkCredential(): Promise<void> {
    const response = await this.#requests.send('GET /user', {});
    // A token without the right to read its user can still be good enough for builds.
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

  /** How far GitHub's clock is ahead of this machine's, in milliseconds, according to its last response. */
  get clockAheadMs(): number {
    return this.#transport.now() - Date.now();
  }

  /** Changes that people must make so that the forge accepts what it refused lately; one line each. */
  get troubles(): string[] {
    return this.#transport.troubles.reasons;
  }
}
