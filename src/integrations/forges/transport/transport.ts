import { setTimeout as delay } from 'node:timers/promises';
import { Octokit } from '@octokit/rest';
import { NO_TRACING, type Span, type Tracing } from '../../../contracts/tracing/tracing.ts';
import { backoff } from '../../../domain/backoff.ts';
import {
  type Arrived,
  clockAhead,
  clockOf,
  type ForgeResponse,
  messageOf,
  rateLimitWait,
  type Trouble,
} from '../../../domain/github/response.ts';
import { GitHubApp, type InstallationToken } from './app-login.ts';
import { responseOf } from './response.ts';
import { Troubles } from './troubles.ts';

/** The version of GitHub's API. Octokit itself sets none. */
const API_VERSION = '2022-11-28';

export interface TransportOptions {
  /** The forge's name, and the setting with its credential; left out: GitHub and the GITHUB_ settings. */
  named?: { forge: string; setting: string };
  /** Root of the REST API, without a slash at its end. */
  apiUrl: string;
  auth: { token: string } | { appId: string; privateKey: string } | undefined;
  /** Longest wait for one response, in milliseconds. */
  requestTimeoutMs: number;
  /**
   * Called for every request with its route, GitHub's status (undefined if there was no response), and what the response said is left of
   * the rate limit.
   */
  onResponse?: (route: string, status: number | undefined, remaining: number | undefined) => void;
  /** Reports every request as a span. Left out: nothing is traced. */
  tracing?: Tracing;
}

export type RouteParameters = Record<string, unknown> & { headers?: Record<string, string> };

/** Code of a request that was not sent because an app got no token for it. */
const NOT_LOGGED_IN = 'NOT_LOGGED_IN';
/** How long a request waits if an app gets no token now; longer each time, so that a long outage fills no histories. */
const NOT_READY_WAIT_MS = 5_000;
const LONGEST_NOT_READY_WAIT_MS = 60_000;
/** The most redirects that are followed. GitHub redirects requests for a renamed repository to another path, and at most once more. */
const MAX_REDIRECTS = 3;
/** Statuses that say that a request was not carried out where it was sent (RFC 9110, section 15.4). 303 says that it was. */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 307, 308]);

/** Sends requests to a forge's API, without pacing: the credential, redirects, GitHub's clock, and what each response says about these. */
export class ForgeTransport {
  readonly troubles = new Troubles();
  readonly #octokit: Octokit;
  readonly #app: GitHubApp | undefined;
  /** The setting with the credential. */
  readonly credential: string;
  /** The setting to correct if a repository is not shown. `urlSetting`: the one to correct if the URL is wrong. */
  readonly repositorySetting: string;
  readonly urlSetting: string;
  readonly forge: string;
  readonly #hasCredential: boolean;
  readonly apiUrl: string;
  readonly #onResponse: TransportOptions['onResponse'];
  readonly #tracing: Tracing;
  /** How many requests in a row got no token for the app. */
  #withoutToken = 0;
  /** GitHub's clock minus this machine's, in milliseconds. */
  #clockOffsetMs = 0;

  constructor({ apiUrl, auth, requestTimeoutMs, onResponse, tracing = NO_TRACING, named }: TransportOptions) {
    this.forge = named?.forge ?? 'GitHub';
    this.urlSetting = named?.setting ?? 'GITHUB_API_URL';
    this.repositorySetting = named
      ? 'the repository of the configuration'
      : 'GITHUB_REPO, or the repository of the configuration';
    this.apiUrl = apiUrl;
    this.#onResponse = onResponse;
    this.#tracing = tracing;
    this.#hasCredential = auth !== undefined;
    this.credential = named?.setting ?? (auth && 'appId' in auth ? 'GITHUB_APP_ID' : 'GITHUB_TOKEN');
    this.#octokit = new Octokit({
      ...(auth && 'token' in auth ? { auth: auth.token } : {}),
      baseUrl: apiUrl,
      userAgent: 'hapax',
      log: { debug() {}, info() {}, warn() {}, error() {} },
      request: {
        fetch: (url: string, options: RequestInit) =>
          this.#fetch(url, { ...options, signal: earlier(options.signal, AbortSignal.timeout(requestTimeoutMs)) }),
      },
    });
    this.#app = auth && 'appId' in auth ? new GitHubApp(this.#octokit, auth, () => this.now()) : undefined;
  }

  /** Returns the time of GitHub's clock in epoch milliseconds, as far as its responses have told. */
  now(): number {
    return Date.now() + this.#clockOffsetMs;
  }

  /** Sends one request. It never throws: what happened instead of a response is a value too. */
  async request(route: string, parameters: RouteParameters): Promise<ForgeResponse> {
    const response = await this.#traced(route, parameters);
    const { owner, repo } = parameters;
    const repository = `${owner}/${repo}`;
    if (!('status' in response)) {
      this.#onResponse?.(route, undefined, undefined);
      if (isLoginTrouble(response)) this.troubles.note(repository, response.message);
      return response;
    }
    const { status, headers } = response;
    // An app sends its credential only in requests to repositories. Without it, GitHub reports the limit of strangers.
    const carried = !(this.#app && owner === undefined);
    const remaining = carried ? headers['x-ratelimit-remaining'] : undefined;
    this.#onResponse?.(route, status, remaining === undefined ? undefined : Number(remaining));
    const trouble = this.#troubleOf(response);
    if (trouble) this.troubles.note('credential', trouble.reason);
    else if (status < 400 && carried) this.troubles.clear('credential', repository);
    return trouble ? { ...response, trouble } : response;
  }

  /** Makes an app ask again which installation has access to a repository: it may be another one now. */
  forgetLogin(owner: string, repo: string): void {
    this.#app?.forget(owner, repo);
  }

  /** Says whether a repository was reached with a token so young that parts of GitHub may not know it yet. */
  isYoungLogin(owner: string, repo: string): boolean {
    return this.#app?.isYoung(owner, repo) ?? false;
  }

  /** Sends a request within a span. The span names only the route, because the values in it may belong to a user. */
  #traced(route: string, parameters: RouteParameters): Promise<ForgeResponse> {
    const [method = '', template = ''] = route.split(' ');
    const { hostname, port, protocol } = new URL(this.apiUrl);
    const attributes = {
      'http.request.method': method,
      'url.template': template,
      'server.address': hostname,
      'server.port': Number(port || (protocol === 'https:' ? 443 : 80)),
    };
    return this.#tracing.within({ name: route, kind: 'client', attributes }, async (span) => {
      const response = await this.#send(route, parameters);
      tellResponse(span, response);
      return response;
    });
  }

  async #send(route: string, { headers = {}, ...parameters }: RouteParameters): Promise<ForgeResponse> {
    const { owner, repo } = parameters;
    for (let tries = 1; ; tries++) {
      let token: InstallationToken | undefined;
      try {
        if (owner !== undefined) token = await this.#app?.tokenFor(String(owner), String(repo));
      } catch (error) {
        const waitMs = backoff(this.#withoutToken++, NOT_READY_WAIT_MS, LONGEST_NOT_READY_WAIT_MS, Math.random());
        return notLoggedIn(responseOf(error), `${owner}/${repo}`, waitMs);
      }
      this.#withoutToken = 0;
      const credential = token ? { authorization: `token ${token.value}` } : {};
      const response = await this.#sendOnce(route, { ...parameters, headers: { ...credential, ...headers } });
      if (!token || !this.#app || !('status' in response)) return response;
      if (response.status === 404 && route.startsWith('GET ')) this.#app.missed(String(owner), String(repo));
      const againInMs = this.#app.answered(token, response.status, tries);
      if (againInMs === undefined) return response;
      await delay(againInMs);
    }
  }

  async #sendOnce(route: string, { headers, ...parameters }: RouteParameters): Promise<ForgeResponse> {
    try {
      const response = await this.#octokit.request(route, {
        ...parameters,
        headers: { 'x-github-api-version': API_VERSION, ...headers },
      });
      return { status: response.status, headers: response.headers as Arrived['headers'], body: response.data };
    } catch (error) {
      return responseOf(error);
    }
  }

  /**
   * Follows GitHub's redirects with the same method and body, but never to another server. `fetch` itself would turn a POST into a GET, and
   * say that the dispatch succeeded.
   */
  async #fetch(url: string, options: RequestInit): Promise<Response> {
    for (let at = url, redirects = 0; ; redirects++) {
      const sentAt = Date.now();
      const response = await fetch(at, { ...options, redirect: 'manual' });
      const shown = clockOf({ date: response.headers.get('date') ?? undefined });
      if (shown !== undefined) this.#clockOffsetMs = clockAhead(shown, sentAt, Date.now());
      const location = REDIRECTS.has(response.status) ? response.headers.get('location') : null;
      const next = location !== null && URL.canParse(location, at) ? new URL(location, at) : undefined;
      if (!next || next.origin !== new URL(at).origin || redirects === MAX_REDIRECTS) return response;
      await response.body?.cancel();
      at = next.href;
    }
  }

  /** Returns what a person must change before GitHub accepts this credential; undefined if the response says nothing about it. */
  #troubleOf({ status, headers, body }: Arrived): Trouble | undefined {
    if (status === 401) {
      const said = `(401: ${messageOf(body)})`;
      if (!this.#hasCredential)
        return { reason: `${this.credential}: ${this.forge} asks for a credential ${said}; set one` };
      if (this.#app) return { reason: `GITHUB_APP_ID: GitHub refuses the token that it gave this app ${said}` };
      return { reason: `${this.credential}: ${this.forge} refuses this token ${said}; set one that is valid` };
    }
    if (status === 407)
      return { reason: `${this.urlSetting}: a proxy before ${this.apiUrl} asks for a password (407)` };
    if (!REDIRECTS.has(status)) return undefined;
    const to = headers.location ?? 'nowhere';
    return {
      reason: `${this.urlSetting}: ${this.apiUrl} redirects to another server, ${to} (${status}), which Hapax does not follow; set the final URL`,
    };
  }
}

function tellResponse(span: Span, response: ForgeResponse): void {
  if ('code' in response) {
    span.fail(response.code);
  } else {
    span.set({ 'http.response.status_code': response.status });
    if (response.status >= 400) span.fail(String(response.status));
  }
}

/** Returns a signal that aborts with the first of two. */
function earlier(given: AbortSignal | null | undefined, timeout: AbortSignal): AbortSignal {
  return given ? AbortSignal.any([given, timeout]) : timeout;
}

/** Returns the response of a request that got no token for the app: it was not sent, whatever GitHub said. */
function notLoggedIn(response: ForgeResponse, repository: string, waitMs: number): ForgeResponse {
  const no = `GitHub gives the app no token for ${repository}`;
  if (!('status' in response)) {
    return { code: NOT_LOGGED_IN, message: `${no}: ${response.message}`, wait_ms: waitMs };
  }
  const { status, headers, body } = response;
  const said = `${no} (${status}: ${messageOf(body)})`;
  const limitMs = rateLimitWait(status, headers, body, Date.now());
  if (limitMs !== undefined || status >= 500) {
    return { code: NOT_LOGGED_IN, message: said, wait_ms: limitMs ?? waitMs };
  }
  const remedy =
    status === 404
      ? 'install the app of GITHUB_APP_ID on it, or correct the repository (GITHUB_REPO, or its configuration)'
      : 'correct GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY, or unsuspend the app';
  return { code: NOT_LOGGED_IN, message: `${said}; ${remedy}`, wait_ms: null };
}

/** Says whether a request was held back because the app may not have a token, which a person must change. */
export function isLoginTrouble(response: ForgeResponse): response is Extract<ForgeResponse, { code: string }> {
  return 'code' in response && response.code === NOT_LOGGED_IN && response.wait_ms === null;
}
