import { type GitHubResponse, rateLimitWait } from '../../../domain/github/response.ts';
import type { GitHubTransport, RouteParameters } from '../transport/transport.ts';
import type { GitHubPace } from './pace.ts';

/** How long a write waits where the database, which knows the pace, does not answer. */
const NO_PACE_WAIT_MS = 5_000;

/** Requests to GitHub at the pace of their credential. */
export class PacedRequests {
  readonly #transport: GitHubTransport;
  readonly #pace: GitHubPace | undefined;

  /** @param pace undefined: requests go as they come, for a process that only looks whether GitHub is there. */
  constructor(transport: GitHubTransport, pace: GitHubPace | undefined) {
    this.#transport = transport;
    this.#pace = pace;
  }

  /** Takes the next slot for a write: milliseconds until it comes. */
  async reserveWrite(): Promise<number> {
    return (await this.#pace?.reserve()) ?? 0;
  }

  /** One request that changes nothing, unless GitHub wants none. */
  async get(route: string, parameters: RouteParameters): Promise<GitHubResponse> {
    // Without the database nobody knows of a limit; GitHub itself still does.
    const limitedMs = (await this.#pace?.limitedForMs().catch(() => 0)) ?? 0;
    return limitedMs > 0 ? heldBack(limitedMs, true) : this.send(route, parameters);
  }

  /** One request that changes something, once its turn has come. */
  async post(route: string, parameters: RouteParameters): Promise<GitHubResponse> {
    if (!this.#pace) return this.send(route, parameters);
    const claim = await this.#pace.claim().catch(() => ({ waitMs: NO_PACE_WAIT_MS, limited: false }));
    if ('waitMs' in claim) return heldBack(claim.waitMs, claim.limited);
    const response = await this.send(route, parameters);
    // What is not given back runs out by itself.
    await claim.release().catch(() => {});
    return response;
  }

  /** One request, at once. */
  async send(route: string, parameters: RouteParameters): Promise<GitHubResponse> {
    const response = await this.#transport.request(route, parameters);
    if (!('status' in response)) return response;
    const limitMs = rateLimitWait(response.status, response.headers, response.body, Date.now());
    // Whoever was told waits by itself; the others learn of it here.
    if (limitMs !== undefined) await this.#pace?.limit(limitMs).catch(() => {});
    return response;
  }
}

function heldBack(waitMs: number, limited: boolean): GitHubResponse {
  const message = limited
    ? "GitHub's rate limit, which GitHub reported to another request"
    : 'another write is under way';
  return { code: 'HELD_BACK', message, wait_ms: waitMs };
}
