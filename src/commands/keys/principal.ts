import type { Right } from '../../contracts/keys/key-event.ts';
import {
  type Grant,
  hasRight,
  isRestricted,
  NO_LIMITS,
  reachesQueue,
  reachesRepository,
} from '../../domain/keys/grant.ts';
import { Refusal } from '../refusal.ts';
import type { InFlight } from './in-flight.ts';

/** A caller: what they may do, what they reach, and how much they may have in flight. */
export class Principal {
  readonly grant: Grant;
  readonly #inFlight: InFlight;

  constructor(grant: Grant, inFlight: InFlight) {
    this.grant = grant;
    this.#inFlight = inFlight;
  }

  /** The caller's name in the record, and the scope of Idempotency-Keys. */
  get caller(): string {
    return this.grant.caller;
  }

  /** Whether the caller reaches only some repositories or queues. */
  get isRestricted(): boolean {
    return isRestricted(this.grant);
  }

  /** What the caller reaches, for lists; undefined if that is everything. */
  get reach(): { repositories: readonly string[]; queues: readonly string[] } | undefined {
    const { repositories, queues } = this.grant;
    return this.isRestricted ? { repositories: repositories ?? [], queues: queues ?? [] } : undefined;
  }

  has(right: Right): boolean {
    return hasRight(this.grant, right);
  }

  /** @throws {Refusal} 403 if the right is missing. */
  require(right: Right): void {
    if (this.has(right)) return;
    const { caller, rights } = this.grant;
    throw new Refusal('forbidden', { detail: `this needs the right ${right}; ${caller} has ${rights.join(', ')}` });
  }

  /** @throws {Refusal} 403 if the caller reaches only a part. For routes and subjects that such a caller must not use. */
  requireWhole(what: string): void {
    if (this.isRestricted) throw this.#outOfReach(what);
  }

  /** @throws {Refusal} 403 if the caller does not reach the repository. */
  requireRepository(repository: string): void {
    if (!reachesRepository(this.grant, repository)) throw this.#outOfReach(`the repository ${repository}`);
  }

  reachesQueue(queue: string): boolean {
    return reachesQueue(this.grant, queue);
  }

  /** @throws {Refusal} 403 if the caller does not reach the queue. */
  requireQueue(queue: string): void {
    if (!this.reachesQueue(queue)) throw this.#outOfReach(`the queue ${queue}`);
  }

  /**
   * Makes a build or a task within the caller's limit of work in flight.
   * @throws {Refusal} 429 if the caller has as many already.
   */
  begin<Result>(kind: 'builds' | 'tasks', accept: () => Promise<Result>): Promise<Result> {
    const most = this.grant[`${kind}_in_flight`];
    return most === null ? accept() : this.#inFlight.within(kind, this.caller, most, accept);
  }

  #outOfReach(what: string): Refusal {
    const { caller, repositories, queues } = this.grant;
    const only = [...(repositories ?? []), ...(queues ?? []).map((queue) => `queue ${queue}`)].slice(0, 10).join(', ');
    return new Refusal('forbidden', { detail: `${caller} is restricted to ${only}, and does not reach ${what}` });
  }
}

/** Returns a grant of everything, as a key of the environment and this machine have it. */
export function everything(caller: string): Grant {
  return { caller, rights: ['admin'], repositories: null, queues: null, ...NO_LIMITS };
}
