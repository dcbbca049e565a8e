import { createHmac, randomBytes } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { Gate } from '../commands/keys/gate.ts';
import type { Principal } from '../commands/keys/principal.ts';
import { Refusal } from '../commands/refusal.ts';
import type { Right } from '../contracts/keys/key-event.ts';
import { hostNameOf, isLocalHost } from '../contracts/loopback.ts';
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

/** How long a sign-in lasts, seconds. */
const SIGN_IN_SECONDS = 7 * 86_400;

export interface AccessSettings {
  /** Says who asks. */
  gate: Gate;
  trustedHosts: readonly string[];
}

/**
 * Who may use the console. With keys, whoever has signed in with one: the cookie holds no key but the name of a session, which
 * nothing but the console takes, and which ends with the key. Browsers send it below the path of the console only, and never for a
 * page of another site (SameSite=Strict). Without keys, this machine alone, as for the API.
 */
export class Access {
  readonly #gate: Gate;
  readonly #trusted: readonly string[];
  readonly #db: Db;

  constructor({ gate, trustedHosts }: AccessSettings, db: Db) {
    this.#gate = gate;
    this.#trusted = trustedHosts;
    this.#db = db;
  }

  /** Whether people sign in at all. */
  get needsKey(): boolean {
    return this.#gate.needsKey;
  }

  /** Calls back whenever somebody may have lost a right, until the returned function is called. */
  onChange(listener: () => void): () => void {
    return this.#gate.ring.onChange(listener);
  }

  /** Who asks; undefined where nobody has signed in. @throws {Refusal} where an open console is reached by another name. */
  async principalOf(c: ConsoleContext): Promise<Principal | undefined> {
    if (!this.needsKey) {
      this.#requireLocalHost(c);
      return this.#gate.local();
    }
    const token = getCookie(c, SIGN_IN_COOKIE);
    if (!token) return undefined;
    const hash = sha256(token);
    const subject = await findConsoleSession(this.#db, hash);
    return subject && this.#principalOf(subject, hash);
  }

  /**
   * Signs a browser in.
   * @throws {Refusal} 401 where the secret is no key, 403 where the key may not look at everything, 429 after too many wrong ones.
   */
  async signIn(c: ConsoleContext, base: string, secret: string): Promise<void> {
    const address = c.env.incoming?.socket.remoteAddress ?? 'unknown';
    const principal = await this.#gate.identify(secret, address);
    principal.requireWhole('the console');
    principal.require('read');
    const token = randomBytes(32).toString('base64url');
    const hash = sha256(token);
    const { keyId } = principal.grant;
    const subject: SessionSubject =
      keyId === undefined ? { environment: principal.caller, proof: proofOf(secret, hash) } : { key: keyId };
    await addConsoleSession(this.#db, hash, subject, SIGN_IN_SECONDS);
    setCookie(c, SIGN_IN_COOKIE, token, {
      path: base,
      httpOnly: true,
      sameSite: 'Strict',
      secure: isSecure(c),
      maxAge: SIGN_IN_SECONDS,
    });
  }

  async signOut(c: ConsoleContext, base: string): Promise<void> {
    const token = getCookie(c, SIGN_IN_COOKIE);
    deleteCookie(c, SIGN_IN_COOKIE, { path: base });
    if (token) await deleteConsoleSession(this.#db, sha256(token));
  }

  #principalOf(subject: SessionSubject, hash: string): Principal | undefined {
    if ('key' in subject) {
      const key = this.#gate.ring.holds(subject.key);
      return key && this.#gate.keyPrincipal(key);
    }
    const secret = this.#gate.environmentSecret(subject.environment);
    const isSame = secret !== undefined && proofOf(secret, hash) === subject.proof;
    return isSame ? this.#gate.environmentPrincipal(subject.environment) : undefined;
  }

  #requireLocalHost(c: ConsoleContext): void {
    const host = hostNameOf((name) => c.req.header(name));
    if (isLocalHost(host, this.#trusted)) return;
    throw new Refusal('forbidden_host', {
      detail: `requests to "${host.slice(0, 100)}" are refused; use 127.0.0.1 or add the name to TRUSTED_HOSTS`,
    });
  }
}

/** Refuses a page or a change to whoever lacks the right, for the definition of its route. */
export function needs(right: Right): MiddlewareHandler<ConsoleEnvironment> {
  return async (c, next) => {
    requireMay(c, right);
    await next();
  };
}

/** @throws {Refusal} 403 where nothing may be changed here, or not by who asks. */
export function requireMay(c: ConsoleContext, right: Right): void {
  if (c.var.view.may(right)) return;
  c.var.principal.require(right);
  throw new Refusal('read_only');
}

function proofOf(secret: string, hash: string): string {
  return createHmac('sha256', secret).update(`hapax console ${hash}`).digest('base64url');
}

/** Whether the browser speaks TLS, to this server or to a proxy before it. */
function isSecure(c: ConsoleContext): boolean {
  return c.req.header('x-forwarded-proto') === 'https' || new URL(c.req.url).protocol === 'https:';
}

/**
 * Refuses what is not sent by a page of the console itself. Browsers say with every POST where it comes from: by
 * `Sec-Fetch-Site`, or over plain HTTP, where they leave that out, by `Origin`. Programs have the API.
 */
export function refuseOtherSites(): MiddlewareHandler<ConsoleEnvironment> {
  return async (c, next) => {
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD') {
      const site = c.req.header('sec-fetch-site');
      const own =
        site === undefined ? originHost(c.req.header('origin')) === c.req.header('host') : site === 'same-origin';
      if (!own)
        throw new Refusal('cross_site', {
          detail: 'this request does not come from a page of the console; programs use the API',
        });
    }
    await next();
  };
}

function originHost(origin: string | undefined): string {
  return URL.parse(origin ?? '')?.host ?? 'unknown';
}
