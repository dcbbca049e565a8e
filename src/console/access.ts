import { createHmac } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { Refusal } from '../commands/refusal.ts';
import { hostNameOf, isLocalHost } from '../contracts/loopback.ts';
import { secretOwners } from '../domain/secret-owners.ts';
import type { ConsoleContext, ConsoleEnvironment } from './view.ts';

/** Name of the cookie that signs a browser in. */
const SIGN_IN_COOKIE = 'hapax_console';

/** How long a sign-in lasts, seconds. */
const SIGN_IN_SECONDS = 7 * 86_400;

export interface AccessSettings {
  /** Keys that let in; undefined where the API is open to this machine. */
  apiKeys: ReadonlyMap<string, string> | undefined;
  trustedHosts: readonly string[];
}

/**
 * Who may use the console. With API_KEYS, whoever has signed in with one: the cookie holds no key but a proof that a key was
 * known, which nothing but the console takes. Browsers send it below the path of the console only, and never for a page of
 * another site (SameSite=Strict). Without keys, this machine alone, as for the API.
 */
export class Access {
  readonly #keys: ReadonlyMap<string, string> | undefined;
  readonly #trusted: readonly string[];
  readonly #ownerOf: (secret: string) => string | undefined;

  constructor({ apiKeys, trustedHosts }: AccessSettings) {
    this.#keys = apiKeys;
    this.#trusted = trustedHosts;
    this.#ownerOf = secretOwners(apiKeys ?? []);
  }

  /** Whether people sign in at all. */
  get hasKeys(): boolean {
    return this.#keys !== undefined;
  }

  /** Who asks; undefined where nobody has signed in. @throws {Refusal} where an open console is reached by another name. */
  callerOf(c: ConsoleContext): string | undefined {
    if (!this.#keys) {
      this.#requireLocalHost(c);
      return 'local';
    }
    const [issued = '', proof = ''] = (getCookie(c, SIGN_IN_COOKIE) ?? '').split('.');
    if (!/^\d{1,12}$/.test(issued)) return undefined;
    const age = Date.now() / 1_000 - Number(issued);
    if (age < -60 || age > SIGN_IN_SECONDS) return undefined;
    return secretOwners([...this.#keys].map(([name, secret]) => [name, proofOf(secret, issued)]))(proof);
  }

  /** Signs a browser in; false where the secret is none of API_KEYS. */
  signIn(c: ConsoleContext, base: string, secret: string): boolean {
    if (this.#ownerOf(secret) === undefined) return false;
    const issued = String(Math.floor(Date.now() / 1_000));
    setCookie(c, SIGN_IN_COOKIE, `${issued}.${proofOf(secret, issued)}`, {
      path: base,
      httpOnly: true,
      sameSite: 'Strict',
      secure: isSecure(c),
      maxAge: SIGN_IN_SECONDS,
    });
    return true;
  }

  signOut(c: ConsoleContext, base: string): void {
    deleteCookie(c, SIGN_IN_COOKIE, { path: base });
  }

  #requireLocalHost(c: ConsoleContext): void {
    const host = hostNameOf((name) => c.req.header(name));
    if (isLocalHost(host, this.#trusted)) return;
    throw new Refusal('forbidden_host', {
      detail: `requests to "${host.slice(0, 100)}" are refused; use 127.0.0.1 or add the name to TRUSTED_HOSTS`,
    });
  }
}

function proofOf(secret: string, issued: string): string {
  return createHmac('sha256', secret).update(`hapax console ${issued}`).digest('base64url');
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
