import type { Logger } from 'pino';
import type { OidcRule } from '../../contracts/keys/oidc-settings.ts';
import type { Grant } from '../../domain/keys/grant.ts';
import type { Key } from '../../domain/keys/key.ts';
import { formOfKey } from '../../domain/keys/key-text.ts';
import { hasExpired } from '../../domain/keys/key-view.ts';
import { type Claims, grantOfToken } from '../../domain/keys/oidc-grant.ts';
import { claimsKept, grantOfPerson } from '../../domain/keys/person-grant.ts';
import type { Taken } from '../../domain/keys/token-bucket.ts';
import { sha256 } from '../../domain/record/hash.ts';
import { secretOwners } from '../../domain/secret-owners.ts';
import type { Db } from '../../store/database.ts';
import { Refusal } from '../refusal.ts';
import { Buckets } from './buckets.ts';
import { InFlight } from './in-flight.ts';
import { KeyRing } from './key-ring.ts';
import type { People } from './people.ts';
import { everything, Principal } from './principal.ts';
import { WrongKeys } from './wrong-keys.ts';

const MINUTE_MS = 60_000;
/** A JSON Web Token: header, claims and signature, which may be missing. */
const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/** Verifies a token. Returns its claims, why it is refused, or that its issuer does not respond. */
export type VerifyToken = (token: string) => Promise<{ claims: Claims } | { fault: string } | { away: string }>;

export interface GateOptions {
  db: Db;
  log: Logger;
  /** Keys of the environment, by name. They may do everything. */
  environmentKeys: ReadonlyMap<string, string> | undefined;
  /** How tokens of OpenID Connect are verified; undefined if none are accepted. */
  oidc?: { rules: readonly OidcRule[]; verify: VerifyToken } | undefined;
  /** The people who may sign in to the console; undefined if only keys are accepted. */
  people?: People | undefined;
}

/** What a rate limit leaves to a caller, for the response. */
export interface RateState extends Taken {
  quota: number;
}

/** Identifies the callers of the API, Flower's routes and the console, all in one place. The {@link Principal} says what each may do. */
export class Gate {
  readonly ring: KeyRing;
  readonly #environmentKeys: ReadonlyMap<string, string>;
  readonly #ownerOf: (secret: string) => string | undefined;
  readonly #oidc: GateOptions['oidc'];
  readonly #people: People | undefined;
  readonly #inFlight: InFlight;
  readonly #requests = new Buckets();
  readonly #wrong: WrongKeys;

  constructor({ db, log, environmentKeys = new Map(), oidc, people }: GateOptions) {
    this.ring = new KeyRing({ db, log });
    this.#wrong = new WrongKeys({ ring: this.ring, log });
    this.#environmentKeys = environmentKeys;
    this.#ownerOf = secretOwners(environmentKeys);
    this.#oidc = oidc;
    this.#people = people;
    this.#inFlight = new InFlight(db);
  }

  /** Whether callers need a key. Without any keys, the API is open to this machine. */
  get needsKey(): boolean {
    return (
      this.#environmentKeys.size > 0 || this.#oidc !== undefined || this.#people !== undefined || this.ring.size > 0
    );
  }

  /** Whether there are keys of the environment. */
  get hasEnvironmentKeys(): boolean {
    return this.#environmentKeys.size > 0;
  }

  /** Whether somebody can administer keys without a created key. */
  get isAdministrated(): boolean {
    return this.hasEnvironmentKeys || this.#people?.rules.some(({ rights }) => rights.includes('admin')) === true;
  }

  /** Returns the principal of this machine, for when there are no keys. */
  local(caller = 'local'): Principal {
    return new Principal({ ...everything(caller), isLocal: true }, this.#inFlight);
  }

  /**
   * Identifies the bearer of a key or token.
   * @param address that the request came from. Its wrong keys are limited; a right one is always accepted, so that nobody
   * can shut out others behind the same address.
   * @param given.evenStale accepts a created key even if nobody can tell whether it was revoked: the database does not respond.
   * @throws {Refusal} 401 if it is not a key, 429 if the address has sent too many wrong ones, 503 if the issuer of a token
   * or the database does not respond.
   */
  async identify(secret: string | undefined, address: string, given: { evenStale?: boolean } = {}): Promise<Principal> {
    if (!secret) throw new Refusal('unauthorized', { detail: 'send the header Authorization: Bearer KEY' });
    const principal = this.recognise(secret, given);
    if (principal) return principal;
    const token = this.#oidc && TOKEN.test(secret) ? await this.#readToken(this.#oidc, secret) : undefined;
    if (typeof token === 'object') return token;
    throw this.refusalOf(secret, address, token);
  }

  /** Counts a wrong secret of an address. @returns a refusal: 401 with the fault, or 429 if the address has sent too many. */
  refusalOf(secret: string, address: string, fault?: string): Refusal {
    return this.#wrong.refusalOf(secret, address, fault);
  }

  /** Returns the principal of a key; undefined if there is no such key, or it has expired. @throws {Refusal} 503 if nobody can tell. */
  recognise(secret: string, given: { evenStale?: boolean } = {}): Principal | undefined {
    const owner = this.#ownerOf(secret);
    if (owner !== undefined) return this.environmentPrincipal(owner);
    const key = formOfKey(secret) === 'whole' ? this.ring.find(sha256(secret), given) : undefined;
    return key && this.keyPrincipal(key);
  }

  /** Returns the principal of a key of the environment. */
  environmentPrincipal(name: string): Principal {
    return new Principal(everything(name), this.#inFlight);
  }

  /** Returns the principal of a person who has signed in; undefined if no rule lets them in (any more). */
  personPrincipal(claims: Claims): Principal | undefined {
    if (!this.#people) return undefined;
    const grant = grantOfPerson(this.#people.rules, this.#people.issuer, claims);
    return grant && new Principal(grant, this.#inFlight);
  }

  /** Returns the claims to keep of a person who signs in. */
  claimsKept(claims: Claims): Claims {
    return claimsKept(this.#people?.rules ?? [], claims);
  }

  /** Returns the secret of a key of the environment; undefined if none has this name. */
  environmentSecret(name: string): string | undefined {
    return this.#environmentKeys.get(name);
  }

  /** Returns the name of the environment's key with this secret. */
  environmentOwner(secret: string): string | undefined {
    return this.#ownerOf(secret);
  }

  /** Returns the principal of a created key; undefined if it has expired. */
  keyPrincipal(key: Key): Principal | undefined {
    if (hasExpired(key, Date.now())) return undefined;
    this.ring.used(key);
    return new Principal(this.#grantOf(key), this.#inFlight);
  }

  /** Says whether a caller is still let in: streams outlast their request. */
  stands({ grant: { keyId, expiresAt, isLocal } }: Principal): boolean {
    if (keyId !== undefined && !this.ring.holds(keyId)) return false;
    if (expiresAt !== undefined && expiresAt <= Date.now()) return false;
    return !(isLocal && this.needsKey);
  }

  /**
   * Takes one request from the rate limit of a caller.
   * @returns what is left and whether the request is allowed; undefined if nothing limits the caller.
   */
  take({ grant }: Principal): RateState | undefined {
    const quota = grant.requests_per_minute;
    if (quota === null) return undefined;
    return { quota, ...this.#requests.take(grant.keyId ?? grant.caller, { quota, windowMs: MINUTE_MS }) };
  }

  /** Returns the principal of a token, or why it has none. @throws {Refusal} 503 if its issuer does not respond. */
  async #readToken({ rules, verify }: NonNullable<GateOptions['oidc']>, token: string): Promise<Principal | string> {
    const verified = await verify(token);
    if ('fault' in verified) return verified.fault;
    if ('away' in verified) {
      const detail = 'the issuer of the token does not answer; try again';
      throw new Refusal('issuer_unavailable', { detail, retryAfterSeconds: 5, cause: new Error(verified.away) });
    }
    const grant = grantOfToken(rules, verified.claims);
    return grant ? new Principal(grant, this.#inFlight) : 'no rule of OIDC_RULES matches its claims';
  }

  #grantOf(key: Key): Grant {
    const { id: keyId, name, rights, repositories, queues } = key;
    const { requests_per_minute, builds_in_flight, tasks_in_flight, expires_at } = key;
    return {
      ...{ caller: `key:${name}`, rights, repositories, queues, keyId },
      ...{ requests_per_minute, builds_in_flight, tasks_in_flight },
      ...(expires_at === null ? {} : { expiresAt: Date.parse(expires_at) }),
    };
  }
}
