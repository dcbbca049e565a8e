import { createHmac, randomBytes } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { Gate } from '../commands/keys/gate.ts';
import type { PeopleProvider } from '../commands/keys/people.ts';
import type { Principal } from '../commands/keys/principal.ts';
import { Refusal } from '../commands/refusal.ts';
import type { Right } from '../contracts/keys/key-event.ts';
import { hostFault } from '../contracts/loopback.ts';
import type { Claims } from '../domain/keys/oidc-grant.ts';
import { nameOfPerson } from '../domain/keys/person-grant.ts';
import { sha256 } from '../domain/record/hash.ts';
import type { Db } from '../store/database.ts';
import {
  addConsoleSession,
  deleteConsoleSession,
  findConsoleSession,
  type SessionSubject,
} from '../store/keys/console-session.ts';
import type { ConsoleContext, ConsoleEnvironment } from './view.ts';

/** Name of the cookie that signs a browser in. */
const SIGN_IN_COOKIE = 'hapax_console';

/** How long a sign-in with a key lasts, in seconds. It ends with the key. */
const KEY_SECONDS = 7 * 86_400;
/** How long a person's sign-in lasts, in seconds. A provider does not tell Hapax when it locks somebody out. */
const PERSON_SECONDS = 8 * 3_600;

export interface AccessSettings {
  /** Identifies who sends a request. */
  gate: Gate;
  trustedHosts: readonly string[];
  /** The provider where people sign in; undefined if they need a key. */
  people?: PeopleProvider | undefined;
}

/** Somebody who uses the console. */
export interface Visitor {
  principal: Principal;
  /** Their name on pages. */
  name: string;
}

/**
 * Decides who may use the console. With keys, people must sign in with one. The cookie contains no key but the name of a session, which
 * only the console accepts and which ends with the key. Browsers send it only below the console's path, and never for a page of another
 * site (SameSite=Strict). Without keys, only this machine has access, as for the API.
 */
export class Access {
  readonly #gate: Gate;
  readonly #trusted: readonly string[];
  readonly #db: Db;
  readonly people: PeopleProvider | undefined;

  constructor({ gate, trustedHosts, people }: AccessSettings, db: Db) {
    this.#gate = gate;
    this.#trusted = trustedHosts;
    this.people = people;
    this.#db = db;
  }

  /** Whether people must sign in. */
  get needsKey(): boolean {
    return this.#gate.needsKey;
  }

  /** Calls the listener whenever somebody may have lost a right, until the returned function is called. */
  onChange(listener: () => void): () => void {
    return this.#gate.ring.onChange(listener);
  }

  /** Returns who sends a request; undefined if nobody has signed in. @throws {Refusal} if an open console is reached by a foreign name. */
  async visitorOf(c: ConsoleContext): Promise<Visitor | undefined> {
    if (!this.needsKey) {
      const detail = hostFault((name) => c.req.header(name), this.#trusted);
      if (detail) throw new Refusal('forbidden_host', { detail });
      return named(this.#gate.local());
    }
    const token = getCookie(c, SIGN_IN_COOKIE);
    if (!token) return undefined;
    const hash = sha256(token);
    const subject = await findConsoleSession(this.#db, hash);
    return subject && this.#visitorOf(subject, hash);
  }

  /**
   * Signs a browser in.
   * @throws {Refusal} 401 if the secret is not a key, 403 if the key may not see everything, 429 after too many wrong keys.
   */
  async signIn(c: ConsoleContext, base: string, secret: string): Promise<void> {
    const address = c.env.incoming?.socket.remoteAddress ?? 'unknown';
    const principal = await this.#gate.identify(secret, address);
    principal.requireWhole('the console');
    principal.require('read');
    const { keyId } = principal.grant;
    await this.#begin(c, base, KEY_SECONDS, (hash) =>
      keyId === undefined ? { environment: principal.caller, proof: proofOf(secret, hash) } : { key: keyId },
    );
  }

  /** Signs in a person whom the provider has sent. @throws {Refusal} 403 if no rule admits them. */
  async signInPerson(c: ConsoleContext, base: string, told: Claims): Promise<void> {
    const claims = this.#gate.claimsKept(told);
    const principal = this.#gate.personPrincipal(claims);
    if (!principal) {
      c.var.log.warn({ sub: claims.sub, claims: Object.keys(told) }, 'no rule of SIGN_IN_RULES lets this person in');
      throw new Refusal('forbidden', { detail: 'you are known, but no rule of SIGN_IN_RULES lets you in' });
    }
    await this.#begin(c, base, PERSON_SECONDS, () => ({ claims, name: nameOfPerson(told) }));
    c.var.log.info({ caller: principal.caller }, 'signed in to the console');
  }

  /** Gives the browser a new session in place of its current one. */
  async #begin(
    c: ConsoleContext,
    base: string,
    seconds: number,
    subjectOf: (hash: string) => SessionSubject,
  ): Promise<void> {
    const before = getCookie(c, SIGN_IN_COOKIE);
    if (before) await deleteConsoleSession(this.#db, sha256(before));
    const token = randomBytes(32).toString('base64url');
    const hash = sha256(token);
    await addConsoleSession(this.#db, hash, subjectOf(hash), seconds);
    setCookie(c, SIGN_IN_COOKIE, token, {
      ...{ path: base, httpOnly: true, sameSite: 'Strict', secure: this.isSecure(c), maxAge: seconds },
    });
  }

  /** Says whether the browser uses TLS, to this server or to a proxy in front of it. */
  isSecure(c: ConsoleContext): boolean {
    return isSecure(c) || this.people?.secure === true;
  }

  async signOut(c: ConsoleContext, base: string): Promise<void> {
    const token = getCookie(c, SIGN_IN_COOKIE);
    deleteCookie(c, SIGN_IN_COOKIE, { path: base });
    if (token) await deleteConsoleSession(this.#db, sha256(token));
  }

  #visitorOf(subject: SessionSubject, hash: string): Visitor | undefined {
    if ('key' in subject) {
      const key = this.#gate.ring.holds(subject.key);
      return key && named(this.#gate.keyPrincipal(key));
    }
    if ('claims' in subject) {
      // By the current rules.
      const principal = this.#gate.personPrincipal(subject.claims);
      return principal && { principal, name: subject.name };
    }
    const secret = this.#gate.environmentSecret(subject.environment);
    const isSame = secret !== undefined && proofOf(secret, hash) === subject.proof;
    return isSame ? named(this.#gate.environmentPrincipal(subject.environment)) : undefined;
  }
}

/** Returns middleware that refuses a page or a change if the caller lacks the right, for the definition of its route. */
export function needs(right: Right): MiddlewareHandler<ConsoleEnvironment> {
  return async (c, next) => {
    requireMay(c, right);
    await next();
  };
}

/** @throws {Refusal} 403 if nothing may be changed here, or not by this caller. */
export function requireMay(c: ConsoleContext, right: Right): void {
  if (c.var.view.may(right)) return;
  c.var.principal.require(right);
  throw new Refusal('read_only');
}

function named(principal: Principal): Visitor;
function named(principal: Principal | undefined): Visitor | undefined;
function named(principal: Principal | undefined): Visitor | undefined {
  return principal && { principal, name: principal.caller };
}

function proofOf(secret: string, hash: string): string {
  return createHmac('sha256', secret).update(`hapax console ${hash}`).digest('base64url');
}

function isSecure(c: ConsoleContext): boolean {
  const isPageSecure = c.req.header('origin')?.startsWith('https:') ?? false;
  return isPageSecure || c.req.header('x-forwarded-proto') === 'https' || new URL(c.req.url).protocol === 'https:';
}
