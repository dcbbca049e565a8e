import { setTimeout as delay } from 'node:timers/promises';
import { Octokit } from '@octokit/rest';
import {
  clockOf,
  type DispatchAnswer,
  messageOf,
  rateLimitWait,
  type Trouble,
} from '../../domain/github/dispatch-answer.ts';
import { answerOf } from './github-answer.ts';
import { GitHubApp, type InstallationToken } from './github-app.ts';
import { Troubles } from './github-troubles.ts';

/** Octokit pins none by itself; answers are those of this version. */
const API_VERSION = '2022-11-28';

export interface GitHubOptions {
  /** Root of the REST API, without a slash at its end. */
  apiUrl: string;
  auth: { token: string } | { appId: string; privateKey: string } | undefined;
  /** Longest wait for one answer, milliseconds. */
  requestTimeoutMs: number;
  /**
   * Told of every request: its route, GitHub's status or undefined where none came, and what the answer said is left of the rate limit.
   */
  onAnswer?: (route: string, status: number | undefined, remaining: number | undefined) => void;
  /** Unset: requests go as they come, for a process that only looks whether GitHub is there. */
  pace?: GitHubPace;
}

/** Keeps the writes of one credential apart, and its limits, over all processes that use it. Milliseconds throughout. */
export interface GitHubPace {
  /** Takes the next slot for a write: how long until it comes. */
  reserve(): Promise<number>;
  /** Begins a write, unless another one is under way for longer or GitHub's limits forbid it. */
  claim(): Promise<{ release(): Promise<void> } | { waitMs: number; limited: boolean }>;
  /** How long GitHub wants no request; 0 where it does not mind. */
  limitedForMs(): Promise<number>;
  /** Notes that GitHub wants no request for so long. */
  limit(waitMs: number): Promise<void>;
}

/** Thrown where GitHub did not do what was asked; `retryAfterMs` is how long it wants us to wait, if it said so. */
export class GitHubError extends Error {
  override readonly name = 'GitHubError';
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  constructor(message: string, status?: number, retryAfterMs?: number) {
    super(message);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** An answer that arrived. */
export type Answer = Extract<DispatchAnswer, { status: number }>;

export type RouteParameters = Record<string, unknown> & { headers?: Record<string, string> };

/** The code of a request that was not sent, of our own accord. */
const HELD_BACK = 'HELD_BACK';
/** The code of a request that was not sent because an app got no token for it. */
const NOT_LOGGED_IN = 'NOT_LOGGED_IN';
/** How long a request waits where what it needs first does not answer: the database, which knows the pace, or an app's token. */
const NOT_READY_WAIT_MS = 5_000;
/** GitHub sends the requests for a repository that was renamed to another path, at most to one more after that. */
const MAX_REDIRECTS = 3;
/** These say that a request was not carried out where it was sent (RFC 9110, section 15.4). 303 says that it was. */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 307, 308]);

/** Requests to GitHub's API: the credential, the pace, the limits, and what each answer says about them. */
export class GitHubRequests {
  readonly troubles = new Troubles();
  readonly #octokit: Octokit;
  readonly #app: GitHubApp | undefined;
  /** The setting that names the credential. */
  readonly credential: 'GITHUB_TOKEN' | 'GITHUB_APP_ID';
  readonly #hasCredential: boolean;
  readonly #apiUrl: string;
  readonly #onAnswer: GitHubOptions['onAnswer'];
  readonly #pace: GitHubPace | undefined;
  /** GitHub's clock minus ours, milliseconds. */
  #clockOffsetMs = 0;

  constructor({ apiUrl, auth, requestTimeoutMs, onAnswer, pace }: GitHubOptions) {
    this.#apiUrl = apiUrl;
    this.#onAnswer = onAnswer;
    this.#pace = pace;
    this.#hasCredential = auth !== undefined;
    this.credential = auth && 'appId' in auth ? 'GITHUB_APP_ID' : 'GITHUB_TOKEN';
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

  /** What GitHub's clock shows now, epoch milliseconds, as far as its answers have told. */
  now(): number {
    return Date.now() + this.#clockOffsetMs;
  }

  /** Takes the next slot for a write: milliseconds until it comes. */
  async reserveWrite(): Promise<number> {
    return (await this.#pace?.reserve()) ?? 0;
  }

  /** One request that changes nothing, unless GitHub wants none. */
  async get(route: string, parameters: RouteParameters): Promise<DispatchAnswer> {
    // Without the database nobody knows of a limit; GitHub itself still does.
    const limitedMs = (await this.#pace?.limitedForMs().catch(() => 0)) ?? 0;
    return limitedMs > 0 ? heldBack(limitedMs, true) : this.request(route, parameters);
  }

  /** One request that changes something, at the pace of the credential. */
  async post(route: string, parameters: RouteParameters): Promise<DispatchAnswer> {
    if (!this.#pace) return this.request(route, parameters);
    const claim = await this.#pace.claim().catch(() => ({ waitMs: NOT_READY_WAIT_MS, limited: false }));
    if ('waitMs' in claim) return heldBack(claim.waitMs, claim.limited);
    const answer = await this.request(route, parameters);
    // What is not given back runs out by itself.
    await claim.release().catch(() => {});
    return answer;
  }

  /** One request, without regard to pace and limits. Never throws: what came instead of an answer is a value too. */
  async request(route: string, parameters: RouteParameters): Promise<DispatchAnswer> {
    const answer = await this.#send(route, parameters);
    const { owner, repo } = parameters;
    const repository = `${owner}/${repo}`;
    if (!('status' in answer)) {
      this.#onAnswer?.(route, undefined, undefined);
      if (isLoginTrouble(answer)) this.troubles.note(repository, answer.message);
      return answer;
    }
    const { status, headers, body } = answer;
    const remaining = headers['x-ratelimit-remaining'];
    this.#onAnswer?.(route, status, remaining === undefined ? undefined : Number(remaining));
    const limitMs = rateLimitWait(status, headers, body, Date.now());
    // Whoever was told waits by itself; the others learn of it here.
    if (limitMs !== undefined) await this.#pace?.limit(limitMs).catch(() => {});
    const trouble = this.#troubleOf(answer);
    if (trouble) this.troubles.note('credential', trouble.reason);
    // An app bears its credential only to repositories.
    else if (status < 400 && !(this.#app && owner === undefined)) this.troubles.clear('credential', repository);
    return trouble ? { ...answer, trouble } : answer;
  }

  /** @throws {GitHubError} where there is no answer, or it is no success. */
  async expect(answering: DispatchAnswer | Promise<DispatchAnswer>): Promise<Answer> {
    const answer = await answering;
    if ('code' in answer) {
      if (answer.wait_ms !== undefined) throw new GitHubError(answer.message, undefined, answer.wait_ms ?? undefined);
      throw new GitHubError(`GitHub did not answer: ${answer.message}`);
    }
    const { status, headers, body, trouble } = answer;
    if (status >= 200 && status < 300) return answer;
    throw new GitHubError(
      trouble?.reason ?? `GitHub answered ${status}: ${messageOf(body)}`,
      status,
      rateLimitWait(status, headers, body, Date.now()),
    );
  }

  /** Has an app ask again by which installation it reaches a repository: it may be another one since. */
  forgetLogin(owner: string, repo: string): void {
    this.#app?.forget(owner, repo);
  }

  /** Whether a repository was reached with a token so young that GitHub may not know it everywhere yet. */
  isYoungLogin(owner: string, repo: string): boolean {
    return this.#app?.isYoung(owner, repo) ?? false;
  }

  async #send(route: string, { headers = {}, ...parameters }: RouteParameters): Promise<DispatchAnswer> {
    const { owner, repo } = parameters;
    for (let tries = 1; ; tries++) {
      let token: InstallationToken | undefined;
      try {
        if (owner !== undefined) token = await this.#app?.tokenFor(String(owner), String(repo));
      } catch (error) {
        return notLoggedIn(answerOf(error), `${owner}/${repo}`);
      }
      const credential = token ? { authorization: `token ${token.value}` } : {};
      const answer = await this.#sendOnce(route, { ...parameters, headers: { ...credential, ...headers } });
      if (!token || !this.#app || !('status' in answer)) return answer;
      const againInMs = this.#app.answered(token, answer.status, tries);
      if (againInMs === undefined) return answer;
      await delay(againInMs);
    }
  }

  async #sendOnce(route: string, { headers, ...parameters }: RouteParameters): Promise<DispatchAnswer> {
    try {
      const answer = await this.#octokit.request(route, {
        ...parameters,
        headers: { 'x-github-api-version': API_VERSION, ...headers },
      });
      return { status: answer.status, headers: answer.headers as Answer['headers'], body: answer.data };
    } catch (error) {
      return answerOf(error);
    }
  }

  /**
   * Goes where GitHub sends a request, with its method and body, but never to another server: `fetch` by itself would make
   * a GET of a POST, and say that the dispatch succeeded.
   */
  async #fetch(url: string, options: RequestInit): Promise<Response> {
    for (let at = url, redirects = 0; ; redirects++) {
      const answer = await fetch(at, { ...options, redirect: 'manual' });
      const shown = clockOf({ date: answer.headers.get('date') ?? undefined });
      if (shown !== undefined) this.#clockOffsetMs = shown - Date.now();
      const location = REDIRECTS.has(answer.status) ? answer.headers.get('location') : null;
      const next = location !== null && URL.canParse(location, at) ? new URL(location, at) : undefined;
      if (!next || next.origin !== new URL(at).origin || redirects === MAX_REDIRECTS) return answer;
      await answer.body?.cancel();
      at = next.href;
    }
  }

  /** What a person has to change before GitHub takes this credential; undefined where the answer says nothing of that. */
  #troubleOf({ status, headers, body }: Answer): Trouble | undefined {
    if (status === 401) {
      const said = `(401: ${messageOf(body)})`;
      if (!this.#hasCredential) return { reason: `GITHUB_TOKEN: GitHub asks for a credential ${said}; set one` };
      if (this.#app) return { reason: `GITHUB_APP_ID: GitHub refuses the token that it gave this app ${said}` };
      return { reason: `GITHUB_TOKEN: GitHub refuses this token ${said}; set one that is valid` };
    }
    if (status === 407) return { reason: `GITHUB_API_URL: a proxy before ${this.#apiUrl} asks for a password (407)` };
    if (!REDIRECTS.has(status)) return undefined;
    const to = headers.location ?? 'nowhere';
    return {
      reason: `GITHUB_API_URL: ${this.#apiUrl} redirects to another server, ${to} (${status}), which Hapax does not follow; set the final URL`,
    };
  }
}

/** A signal that aborts with the first of two. */
function earlier(given: AbortSignal | null | undefined, timeout: AbortSignal): AbortSignal {
  return given ? AbortSignal.any([given, timeout]) : timeout;
}

function heldBack(waitMs: number, limited: boolean): DispatchAnswer {
  const message = limited
    ? "GitHub's rate limit, which GitHub reported to another request"
    : 'another write is under way';
  return { code: HELD_BACK, message, wait_ms: waitMs };
}

/** What a request comes to for which the app got no token: it was not sent, whatever GitHub said. */
function notLoggedIn(answer: DispatchAnswer, repository: string): DispatchAnswer {
  const no = `GitHub gives the app no token for ${repository}`;
  if (!('status' in answer)) {
    return { code: NOT_LOGGED_IN, message: `${no}: ${answer.message}`, wait_ms: NOT_READY_WAIT_MS };
  }
  const { status, headers, body } = answer;
  const said = `${no} (${status}: ${messageOf(body)})`;
  const limitMs = rateLimitWait(status, headers, body, Date.now());
  if (limitMs !== undefined || status >= 500) {
    return { code: NOT_LOGGED_IN, message: said, wait_ms: limitMs ?? NOT_READY_WAIT_MS };
  }
  const remedy =
    status === 404
      ? 'install the app of GITHUB_APP_ID on it, or correct the repository (GITHUB_REPO, or its configuration)'
      : 'correct GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY, or unsuspend the app';
  return { code: NOT_LOGGED_IN, message: `${said}; ${remedy}`, wait_ms: null };
}

/** Whether a request was held back because the app has no right to a token, and a person has to change that. */
export function isLoginTrouble(answer: DispatchAnswer): answer is Extract<DispatchAnswer, { code: string }> {
  return 'code' in answer && answer.code === NOT_LOGGED_IN && answer.wait_ms === null;
}
