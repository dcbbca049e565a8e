import { Octokit } from '@octokit/rest';
import { z } from 'zod';
import type { BuildRequest } from '../contracts/event.ts';
import type { DispatchOutcome, Finding, ListedRun, RerunOutcome, RunView } from '../contracts/github.ts';
import {
  classifyDispatch,
  classifyRerun,
  type DispatchAnswer,
  messageOf,
  rateLimitWait,
} from '../domain/dispatch-answer.ts';
import { findRuns, type Sought } from '../domain/find-runs.ts';
import { answerOf } from './github-answer.ts';
import { GitHubApp } from './github-app.ts';
import { redeliverMissed } from './hook-redelivery.ts';
import { PAGE, RunListing, type Seen } from './run-listing.ts';

/** Octokit pins none by itself; answers are those of this version. */
const API_VERSION = '2022-11-28';

/** A reading goes through at most so many pages; a doubtful dispatch is among the newest. */
const MAX_PAGES = 10;
/** Those who look at one listing do so within so long after it is due. */
const LONGEST_SPREAD_MS = 1_000;
/** Allowance for GitHub's clock and ours. */
const CLOCK_SKEW_MS = 600_000;

const run = z.object({
  id: z.int(),
  html_url: z.string(),
  status: z.string().nullable(),
  conclusion: z.string().nullable(),
  run_attempt: z.int().optional(),
  display_title: z.string(),
  event: z.string(),
  head_branch: z.string().nullable(),
  path: z.string(),
  created_at: z.string(),
});
const runPage = z.object({ workflow_runs: z.array(run) });

export interface GitHubOptions {
  /** Root of the REST API. */
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

interface Answer {
  status: number;
  headers: Record<string, string | undefined>;
  body: unknown;
}

type RouteParameters = Record<string, unknown> & { headers?: Record<string, string> };

/** GitHub's REST API, as far as builds need it. */
export class GitHub {
  readonly #octokit: Octokit;
  readonly #app: GitHubApp | undefined;
  readonly #onAnswer: GitHubOptions['onAnswer'];
  readonly #pace: GitHubPace | undefined;
  readonly #listings = new Map<string, RunListing>();
  /** GitHub Enterprise Server up to 3.20 answers 400 to `return_run_details`; asked once per process. */
  #namesRuns = true;

  constructor({ apiUrl, auth, requestTimeoutMs, onAnswer, pace }: GitHubOptions) {
    this.#onAnswer = onAnswer;
    this.#pace = pace;
    this.#octokit = new Octokit({
      ...(auth && 'token' in auth ? { auth: auth.token } : {}),
      baseUrl: apiUrl,
      userAgent: 'hapax',
      log: { debug() {}, info() {}, warn() {}, error() {} },
      request: {
        fetch: (url: string, options: RequestInit) =>
          fetch(url, { ...options, signal: earlier(options.signal, AbortSignal.timeout(requestTimeoutMs)) }),
      },
    });
    this.#app = auth && 'appId' in auth ? new GitHubApp(this.#octokit, auth) : undefined;
  }

  /** Takes the next slot for a dispatch or a re-run: milliseconds until it comes. */
  async reserveWrite(): Promise<number> {
    return (await this.#pace?.reserve()) ?? 0;
  }

  /** Sends one dispatch, and a second only where GitHub refused the first for a field or an input that it does not know. */
  async dispatch(
    request: BuildRequest,
    correlation: { input: string; token: string } | null,
  ): Promise<DispatchOutcome> {
    const answer = await this.#postDispatch(request, correlation);
    if ('status' in answer && correlation && refusesInput(answer, correlation.input)) {
      return classifyDispatch(await this.#postDispatch(request, null), false, Date.now());
    }
    return classifyDispatch(answer, correlation !== null, Date.now());
  }

  async #postDispatch(
    request: BuildRequest,
    correlation: { input: string; token: string } | null,
  ): Promise<DispatchAnswer> {
    const [owner, repo] = split(request.repository);
    const inputs = correlation ? { ...request.inputs, [correlation.input]: correlation.token } : request.inputs;
    const post = (named: boolean) =>
      this.#post('POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches', {
        owner,
        repo,
        workflow_id: request.workflow,
        ref: request.ref,
        inputs,
        ...(named ? { return_run_details: true } : {}),
      });
    const named = this.#namesRuns;
    const answer = await post(named);
    if (!named || !('status' in answer) || answer.status !== 400) return answer;
    const second = await post(false);
    // Refused all the same, it was not for the field.
    if (!('status' in second) || second.status !== 400) this.#namesRuns = false;
    return second;
  }

  /** Reads every recent run of the repository, page by page, and looks for the tokens. See domain/find-runs. */
  async find(repository: string, sought: Sought): Promise<Finding> {
    const oldest = new Date(Date.parse(sought.since) - CLOCK_SKEW_MS).toISOString();
    const listed: ListedRun[] = [];
    let complete = false;
    for (let page = 1; page <= MAX_PAGES && !complete; page++) {
      const runs = readRuns(await this.#expect(this.#list(repository, page)));
      listed.push(...runs);
      complete = runs.length < PAGE || runs.at(-1)!.created_at < oldest;
    }
    return findRuns({ runs: listed, complete }, { ...sought, since: oldest });
  }

  /**
   * The run if it differs from what was seen, confirmed by GitHub; else when to look again, and whether GitHub was asked. All
   * who ask about one repository share its listing, which is read at most every `maxAgeMs` ({@link RunListing}).
   */
  async changed(
    repository: string,
    runId: number,
    seen: Seen,
    maxAgeMs: number,
  ): Promise<{ view: RunView } | { lookAgainMs: number; asked: boolean }> {
    // The listing may be older than a run that nobody has seen yet.
    if (seen.run_attempt === 0) return { view: await this.read(repository, runId) };
    const { doubtful, staleInMs } = await this.#listingOf(repository).look(runId, seen, maxAgeMs);
    const view = doubtful ? await this.read(repository, runId) : undefined;
    if (view && (view.status !== seen.status || view.run_attempt !== seen.run_attempt)) return { view };
    // Soon after the listing is due, but not all at once.
    const lookAgainMs = staleInMs + Math.random() * Math.min(LONGEST_SPREAD_MS, maxAgeMs / 4);
    return { lookAgainMs, asked: doubtful };
  }

  /** Asks for the run to be cancelled; false where it has ended or is gone. */
  async cancel(repository: string, runId: number): Promise<boolean> {
    const [owner, repo] = split(repository);
    const answer = await this.#post('POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel', {
      owner,
      repo,
      run_id: runId,
    });
    if ('status' in answer && (answer.status === 409 || answer.status === 404)) return false;
    await this.#expect(answer);
    return true;
  }

  /** Asks once for another attempt of a run that ended, of all its jobs or of the failed ones. */
  async rerun(repository: string, runId: number, failedJobsOnly: boolean): Promise<RerunOutcome> {
    const [owner, repo] = split(repository);
    const route = failedJobsOnly
      ? 'POST /repos/{owner}/{repo}/actions/runs/{run_id}/rerun-failed-jobs'
      : 'POST /repos/{owner}/{repo}/actions/runs/{run_id}/rerun';
    return classifyRerun(await this.#post(route, { owner, repo, run_id: runId }), Date.now());
  }

  /** See {@link redeliverMissed}. @param signal ends it, also where a request is out. @throws {GitHubError} */
  redeliverMissed(repository: string, since: string, signal: AbortSignal): Promise<number | 'not_allowed'> {
    const until = (parameters: RouteParameters) => {
      signal.throwIfAborted();
      return { ...parameters, request: { signal } };
    };
    const requests = {
      get: async (route: string, parameters: RouteParameters) => this.#get(route, until(parameters)),
      post: async (route: string, parameters: RouteParameters) => this.#post(route, until(parameters)),
      expect: (answer: DispatchAnswer) => this.#expect(answer),
    };
    const [owner, repo] = split(repository);
    return redeliverMissed(requests, { owner, repo }, since);
  }

  /** Whether GitHub answers at all; costs nothing of the rate limit. @throws {GitHubError} where it does not. */
  async ping(): Promise<void> {
    await this.#expect(this.#request('GET /rate_limit', {}));
  }

  #listingOf(repository: string): RunListing {
    let listing = this.#listings.get(repository);
    if (!listing) {
      listing = new RunListing(async (page, etag) => {
        const answer = await this.#list(repository, page, etag);
        if ('status' in answer && answer.status === 304) return undefined;
        const read = await this.#expect(answer);
        return { etag: read.headers.etag, runs: readRuns(read) };
      });
      this.#listings.set(repository, listing);
    }
    return listing;
  }

  /** The run as it is now. @throws {GitHubError} */
  async read(repository: string, runId: number): Promise<RunView> {
    const [owner, repo] = split(repository);
    const answer = await this.#expect(
      this.#get('GET /repos/{owner}/{repo}/actions/runs/{run_id}', { owner, repo, run_id: runId }),
    );
    const read = view(run.parse(answer.body), answer);
    this.#listings.get(repository)?.note(read);
    return read;
  }

  #list(repository: string, page: number, etag?: string): Promise<DispatchAnswer> {
    const [owner, repo] = split(repository);
    return this.#get('GET /repos/{owner}/{repo}/actions/runs', {
      owner,
      repo,
      per_page: PAGE,
      ...(page > 1 ? { page } : {}),
      ...(etag ? { headers: { 'if-none-match': etag } } : {}),
    });
  }

  async #expect(answering: DispatchAnswer | Promise<DispatchAnswer>): Promise<Answer> {
    const answer = await answering;
    if ('code' in answer) {
      if (answer.code === HELD_BACK) throw new GitHubError(answer.message, undefined, answer.wait_ms);
      throw new GitHubError(`GitHub did not answer: ${answer.message}`);
    }
    const { status, headers, body } = answer;
    if (status >= 200 && status < 300) return answer;
    throw new GitHubError(
      `GitHub answered ${status}: ${messageOf(body)}`,
      status,
      rateLimitWait(status, headers, body, Date.now()),
    );
  }

  /** One request that changes nothing, unless GitHub wants none. */
  async #get(route: string, parameters: RouteParameters): Promise<DispatchAnswer> {
    // Without the database nobody knows of a limit; GitHub itself still does.
    const limitedMs = (await this.#pace?.limitedForMs().catch(() => 0)) ?? 0;
    return limitedMs > 0 ? heldBack(limitedMs, true) : this.#request(route, parameters);
  }

  /** One request that changes something, at the pace of the credential. */
  async #post(route: string, parameters: RouteParameters): Promise<DispatchAnswer> {
    if (!this.#pace) return this.#request(route, parameters);
    const claim = await this.#pace.claim().catch(() => ({ waitMs: NOT_READY_WAIT_MS, limited: false }));
    if ('waitMs' in claim) return heldBack(claim.waitMs, claim.limited);
    const answer = await this.#request(route, parameters);
    // What is not given back runs out by itself.
    await claim.release().catch(() => {});
    return answer;
  }

  /** One request. Never throws: what came instead of an answer is a value too. */
  async #request(route: string, parameters: RouteParameters): Promise<DispatchAnswer> {
    const answer = await this.#send(route, parameters);
    if (!('status' in answer)) {
      this.#onAnswer?.(route, undefined, undefined);
      return answer;
    }
    const { status, headers, body } = answer;
    const remaining = headers['x-ratelimit-remaining'];
    this.#onAnswer?.(route, status, remaining === undefined ? undefined : Number(remaining));
    const limitMs = rateLimitWait(status, headers, body, Date.now());
    // Whoever was told waits by itself; the others learn of it here.
    if (limitMs !== undefined) await this.#pace?.limit(limitMs).catch(() => {});
    return answer;
  }

  async #send(route: string, { headers = {}, ...parameters }: RouteParameters): Promise<DispatchAnswer> {
    const { owner, repo } = parameters;
    const credential: { authorization?: string } = {};
    if (this.#app && owner !== undefined) {
      try {
        credential.authorization = await this.#app.authorization(String(owner), String(repo));
      } catch (error) {
        return notLoggedIn(answerOf(error), `${owner}/${repo}`);
      }
    }
    try {
      const {
        status,
        headers: received,
        data,
      } = await this.#octokit.request(route, {
        ...parameters,
        headers: { 'x-github-api-version': API_VERSION, ...credential, ...headers },
      });
      return { status, headers: received as Answer['headers'], body: data };
    } catch (error) {
      return answerOf(error);
    }
  }
}

/** A signal that aborts with the first of two. */
function earlier(given: AbortSignal | null | undefined, timeout: AbortSignal): AbortSignal {
  return given ? AbortSignal.any([given, timeout]) : timeout;
}

/** The code of a request that was not sent, of our own accord. */
const HELD_BACK = 'HELD_BACK';
/** How long a request waits where what it needs first does not answer: the database, which knows the pace, or an app's token. */
const NOT_READY_WAIT_MS = 5_000;

function heldBack(waitMs: number, limited: boolean): DispatchAnswer {
  const message = limited ? "GitHub's rate limit, of which another request was told" : 'another write is under way';
  return { code: HELD_BACK, message, wait_ms: waitMs };
}

/** What a request comes to for which the app got no token: it was not sent, whatever GitHub said. */
function notLoggedIn(answer: DispatchAnswer, repository: string): DispatchAnswer {
  const said = 'status' in answer ? messageOf(answer.body) : answer.message;
  const message = `the GitHub App gets no token for ${repository}: ${said}`;
  if ('status' in answer && answer.status < 500) return { ...answer, body: { message } };
  return { code: HELD_BACK, message, wait_ms: NOT_READY_WAIT_MS };
}

function refusesInput({ status, body }: Answer, input: string): boolean {
  const message = messageOf(body);
  return status === 422 && message.startsWith('Unexpected inputs provided') && message.includes(`"${input}"`);
}

function readRuns(answer: Answer): ListedRun[] {
  return runPage.parse(answer.body).workflow_runs.map((listed) => ({
    ...view(listed, answer),
    title: listed.display_title,
    event: listed.event,
    head_branch: listed.head_branch,
    path: listed.path,
    created_at: new Date(listed.created_at).toISOString(),
  }));
}

function view(read: z.infer<typeof run>, { headers }: Answer): RunView {
  return {
    run_id: read.id,
    run_url: read.html_url,
    status: read.status ?? 'unknown',
    conclusion: read.conclusion,
    run_attempt: read.run_attempt ?? 1,
    request_id: headers['x-github-request-id'] ?? null,
  };
}

function split(repository: string): [string, string] {
  const [owner = '', name = ''] = repository.split('/');
  return [owner, name];
}
