import { type ForgeResponse, rateLimitWait } from '../../../domain/github/response.ts';
import type { ForgeTransport, RouteParameters } from '../transport/transport.ts';
import type { WritePace } from './pace.ts';

/** How long a write waits where the database, which knows the pace, does not answer. */
const NO_PACE_WAIT_MS = 5_000;

/** Requests to GitHub at the pace of their credential. */
export class PacedRequests {
  readonly #transport: ForgeTransport;
  readonly #pace: WritePace | undefined;

  /** @param pace undefined: requests go as they come, for a process that only looks whether GitHub is there. */
  constructor(transport: ForgeTransport, pace: WritePace | undefined) {
    this.#transport = transport;
    this.#pace = pace;
  }

  /** As people call it. */
  get forge(): string {
    return this.#transport.forge;
  }

  /** Root of its API. */
  get apiUrl(): string {
    return this.#transport.apiUrl;
  }

  /** Takes the next slot for a write: milliseconds until it comes. */
  async reserveWrite(): Promise<number> {
    return (await this.#pace?.reserve()) ?? 0;
  }

  /** One request that changes nothing, unless GitHub wants none. */
  async get(route: string, parameters: RouteParameters): Promise<ForgeResponse> {
    // Without the database nobody knows of a limit; GitHub itself still does.
    const limitedMs = (await this.#pace?.limitedForMs().catch(() => 0)) ?? 0;
    return limitedMs > 0 ? heldBack(this.forge, limitedMs, true) : this.send(route, parameters);
  }

  /** One request that changes something, once its turn has come. */
  async post(route: string, parameters: RouteParameters): Promise<ForgeResponse> {
    if (!this.#pace) return this.send(route, parameters);
    const claim = await this.#pace.claim().catch(() => ({ waitMs: NO_PACE_WAIT_MS, limited: false }));
    if ('waitMs' in claim) return heldBack(this.forge, claim.waitMs, claim.limited);
    const response = await this.send(route, parameters);
    // What is not given back runs out by itself.
    await claim.release().catch(() => {});
    return response;
  }

  /** One request, at once. */
  async send(route: string, parameters: RouteParameters): Promise<ForgeResponse> {
    const response = await this.#transport.request(route, parameters);
    if (!('status' in response)) return response;
    const limitMs = rateLimitWait(response.status, response.headers, response.body, Date.now());
    // Whoever was told waits by itself; the others learn of it here.
    if (limitMs !== undefined) await this.#pace?.limit(limitMs).catch(() => {});
    return response;
  }
}

function heldBack(forge: string, waitMs: number, limited: boolean): ForgeResponse {
  const message = limited
    ? `${forge}'s rate limit, which ${forge} reported to another request`
    : 'another write is under way';
  return { code: 'HELD_BACK', message, wait_ms: waitMs };
}
