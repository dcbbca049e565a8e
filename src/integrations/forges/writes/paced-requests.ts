import { type ForgeResponse, rateLimitWait, UNTOLD_WAIT_MS } from '../../../domain/github/response.ts';
import type { ForgeTransport, RouteParameters } from '../transport/transport.ts';
import type { WritePace } from './pace.ts';

/** How long a write waits if the database, which knows the pace, does not respond. */
const NO_PACE_WAIT_MS = 5_000;

/** Sends requests to GitHub at the pace of their credential. */
export class PacedRequests {
  readonly #transport: ForgeTransport;
  readonly #pace: WritePace | undefined;

  /** @param pace undefined: requests go out at once, for a process that only checks that GitHub is there. */
  constructor(transport: ForgeTransport, pace: WritePace | undefined) {
    this.#transport = transport;
    this.#pace = pace;
  }

  /** The forge's name for people. */
  get forge(): string {
    return this.#transport.forge;
  }

  /** Root of its API. */
  get apiUrl(): string {
    return this.#transport.apiUrl;
  }

  /** Takes the next slot for a write. @returns the milliseconds until then. */
  async reserveWrite(): Promise<number> {
    return (await this.#pace?.reserve()) ?? 0;
  }

  /** Sends one request that changes nothing, unless GitHub wants no requests now. */
  async get(route: string, parameters: RouteParameters): Promise<ForgeResponse> {
    // Without the database, nobody here knows of a limit. GitHub itself still does.
    const limitedMs = (await this.#pace?.limitedForMs().catch(() => 0)) ?? 0;
    return limitedMs > 0 ? heldBack(this.forge, limitedMs, true) : this.send(route, parameters);
  }

  /** Sends one request that changes something, once its turn has come. */
  async post(route: string, parameters: RouteParameters): Promise<ForgeResponse> {
    if (!this.#pace) return this.send(route, parameters);
    const claim = await this.#pace.claim().catch(() => ({ waitMs: NO_PACE_WAIT_MS, limited: false }));
    if ('waitMs' in claim) return heldBack(this.forge, claim.waitMs, claim.limited);
    const response = await this.send(route, parameters);
    // A claim that is not released expires by itself.
    await claim.release().catch(() => {});
    return response;
  }

  /** Sends one request at once. */
  async send(route: string, parameters: RouteParameters): Promise<ForgeResponse> {
    const response = await this.#transport.request(route, parameters);
    if (!('status' in response)) return response;
    const limitMs = rateLimitWait(response.status, response.headers, response.body, Date.now());
    // The caller who got this response waits by itself. The others learn of the limit here.
    if (limitMs !== undefined) await this.#pace?.limit(limitMs, limitMs !== UNTOLD_WAIT_MS).catch(() => {});
    return response;
  }
}

function heldBack(forge: string, waitMs: number, limited: boolean): ForgeResponse {
  const message = limited
    ? `${forge}'s rate limit, which ${forge} reported to another request`
    : 'another write is under way';
  return { code: 'HELD_BACK', message, wait_ms: waitMs };
}
