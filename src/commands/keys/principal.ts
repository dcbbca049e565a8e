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

/** Who asks, as every door sees them: what they may do, what they reach, and how much at once. */
export class Principal {
  readonly grant: Grant;
  readonly #inFlight: InFlight;

  constructor(grant: Grant, inFlight: InFlight) {
    this.grant = grant;
    this.#inFlight = inFlight;
  }

  /** Name in the record, and the scope of Idempotency-Keys. */
  get caller(): string {
    return this.grant.caller;
  }

  /** Whether only some repositories or queues are reached. */
  get isRestricted(): boolean {
    return isRestricted(this.grant);
  }

  /** What is reached, for lists; undefined where that is everything. */
  get reach(): { repositories: readonly string[]; queues: readonly string[] } | undefined {
    const { repositories, queues } = this.grant;
    return this.isRestricted ? { repositories: repositories ?? [], queues: queues ?? [] } : undefined;
  }

  has(right: Right): boolean {
    return hasRight(this.grant, right);
  }

  /** @throws {Refusal} 403 where the right is missing. */
  require(right: Right): void {
    if (this.has(right)) return;
    const { caller, rights } = this.grant;
    throw new Refusal('forbidden', { detail: `this needs the right ${right}; ${caller} has ${rights.join(', ')}` });
  }

  /** @throws {Refusal} 403 where a route, or what it is about, is not for who reaches only a part. */
  requireWhole(what: string): void {
    if (this.isRestricted) throw this.#outOfReach(what);
  }

  /** @throws {Refusal} 403 where the repository is not reached. */
  requireRepository(repository: string): void {
    if (!reachesRepository(this.grant, repository)) throw this.#outOfReach(`the repository ${repository}`);
  }

  /** @throws {Refusal} 403 where the queue is not reached. */
  requireQueue(queue: string): void {
    if (!reachesQueue(this.grant, queue)) throw this.#outOfReach(`the queue ${queue}`);
  }

  /**
   * Makes a build or a task within the most that may be in flight.
   * @throws {Refusal} 429 where there are as many already.
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

/** A grant of everything, as an environment's key and this machine have it. */
export function everything(caller: string): Grant {
  return { caller, rights: ['admin'], repositories: null, queues: null, ...NO_LIMITS };
}
