import { z } from 'zod';
import type { BuildRequest } from '../../contracts/builds/event.ts';
import type { FailedJob } from '../../contracts/builds/failed-job.ts';
import type { DispatchOutcome, Finding, ListedRun, RerunOutcome, RunView } from '../../contracts/github/github.ts';
import {
  classifyDispatch,
  classifyRerun,
  type DispatchAnswer,
  messageOf,
} from '../../domain/github/dispatch-answer.ts';
import { findRuns, type Sought } from '../../domain/github/find-runs.ts';
import { readFailedJobs } from './failed-jobs.ts';
import { explainRefusal, findSettingFaults, type SettingFaults } from './github-access.ts';
import { type Answer, type GitHubOptions, GitHubRequests, type RouteParameters } from './github-requests.ts';
import { redeliverMissed } from './hook-redelivery.ts';
import { PAGE, RunListing, type Seen } from './run-listing.ts';

/** A reading goes through at most so many pages; a doubtful dispatch is among the newest. */
const MAX_PAGES = 10;
/** Those who look at one listing do so within so long after it is due. */
const LONGEST_SPREAD_MS = 1_000;
/** Allowance for the clocks of Temporal, the API and GitHub. */
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
  workflow_id: z.int().optional(),
  created_at: z.string(),
});
const runPage = z.object({ total_count: z.int().optional(), workflow_runs: z.array(run) });

/** GitHub's REST API, as far as builds need it. */
export class GitHub {
  readonly #requests: GitHubRequests;
  readonly #apiUrl: string;
  readonly #listings = new Map<string, RunListing>();
  /** GitHub Enterprise Server up to 3.20 answers 400 to `return_run_details`; asked once per process. */
  #namesRuns = true;

  constructor(options: GitHubOptions) {
    this.#apiUrl = options.apiUrl;
    this.#requests = new GitHubRequests(options);
  }

  /** Takes the next slot for a dispatch or a re-run: milliseconds until it comes. */
  async reserveWrite(): Promise<number> {
    return this.#requests.reserveWrite();
  }

  /** Sends one dispatch, and a second only where GitHub refused the first for a field or an input that it does not know. */
  async dispatch(
    request: BuildRequest,
    correlation: { input: string; token: string } | null,
  ): Promise<DispatchOutcome> {
    let answer = await this.#postDispatch(request, correlation);
    let correlated = correlation !== null;
    if ('status' in answer && correlation && refusesInput(answer, correlation.input)) {
      answer = await this.#postDispatch(request, null);
      correlated = false;
    }
    const explained = await this.#explained(answer, request.repository, request.workflow);
    return classifyDispatch(explained, correlated, Date.now());
  }

  /** An answer to a write, with what a person has to change where GitHub refuses it for that. */
  async #explained(answer: DispatchAnswer, repository: string, workflow?: string): Promise<DispatchAnswer> {
    const [owner, repo] = split(repository);
    const explained = await explainRefusal(this.#requests, answer, { owner, repo, ...(workflow ? { workflow } : {}) });
    const about = `${repository} ${workflow ?? 'runs'}`;
    if ('status' in explained && explained.trouble) this.#requests.troubles.note(about, explained.trouble.reason);
    else if ('status' in answer && answer.status < 300) this.#requests.troubles.clear(about);
    return explained;
  }

  async #postDispatch(
    request: BuildRequest,
    correlation: { input: string; token: string } | null,
  ): Promise<DispatchAnswer> {
    const [owner, repo] = split(request.repository);
    const inputs = correlation ? { ...request.inputs, [correlation.input]: correlation.token } : request.inputs;
    const post = (named: boolean) =>
      this.#requests.post('POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches', {
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

  /**
   * Reads every recent run of the repository, page by page, and looks for the tokens. See domain/find-runs.
   * @param ageMs how long ago `since` is: GitHub's clock may differ from the one that `since` was taken from.
   */
  async find(repository: string, sought: Sought, ageMs: number): Promise<Finding> {
    const listed: ListedRun[] = [];
    let since = '';
    let complete = false;
    for (let page = 1; page <= MAX_PAGES && !complete; page++) {
      const read = await this.#requests.expect(this.#list(repository, page));
      const runs = readRuns(read);
      if (page === 1) since = new Date(this.#requests.now() - ageMs - CLOCK_SKEW_MS).toISOString();
      listed.push(...runs);
      const oldest = runs.at(-1)?.created_at;
      complete = isLastPage(read, page) || (oldest !== undefined && oldest < since);
    }
    return findRuns({ runs: listed, complete }, { ...sought, since });
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
    const answer = await this.#requests.post('POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel', {
      owner,
      repo,
      run_id: runId,
    });
    if ('status' in answer && (answer.status === 409 || answer.status === 404)) return false;
    await this.#requests.expect(answer);
    return true;
  }

  /** Asks once for another attempt of a run that ended, of all its jobs or of the failed ones. */
  async rerun(repository: string, runId: number, failedJobsOnly: boolean): Promise<RerunOutcome> {
    const [owner, repo] = split(repository);
    const route = failedJobsOnly
      ? 'POST /repos/{owner}/{repo}/actions/runs/{run_id}/rerun-failed-jobs'
      : 'POST /repos/{owner}/{repo}/actions/runs/{run_id}/rerun';
    const answer = await this.#requests.post(route, { owner, repo, run_id: runId });
    return classifyRerun(await this.#explained(answer, repository), Date.now());
  }

  /** See {@link redeliverMissed}. @param signal ends it, also where a request is out. @throws {GitHubError} */
  redeliverMissed(repository: string, since: string, signal: AbortSignal): Promise<number | 'not_allowed'> {
    const until = (parameters: RouteParameters) => {
      signal.throwIfAborted();
      return { ...parameters, request: { signal } };
    };
    const requests = {
      get: async (route: string, parameters: RouteParameters) => this.#requests.get(route, until(parameters)),
      post: async (route: string, parameters: RouteParameters) => this.#requests.post(route, until(parameters)),
      expect: (answer: DispatchAnswer) => this.#requests.expect(answer),
    };
    const [owner, repo] = split(repository);
    return redeliverMissed(requests, { owner, repo }, since);
  }

  /** Whether GitHub answers at all; costs nothing of the rate limit. @throws {GitHubError} where it does not. */
  async ping(): Promise<void> {
    await this.#requests.expect(this.#requests.request('GET /rate_limit', {}));
  }

  /** See {@link findSettingFaults}. @throws {GitHubError} */
  settingFaults(repository: string, workflow: string): Promise<SettingFaults> {
    const [owner, repo] = split(repository);
    return findSettingFaults(this.#requests, this.#apiUrl, { owner, repo, workflow });
  }

  /** What people have to change before GitHub takes what it refused lately; one line each. */
  get troubles(): string[] {
    return this.#requests.troubles.reasons;
  }

  /** See {@link readFailedJobs}. @throws {GitHubError} */
  failedJobs(repository: string, runId: number, attempt: number): Promise<FailedJob[]> {
    const [owner, repo] = split(repository);
    return readFailedJobs(this.#requests, { owner, repo, run_id: runId, attempt_number: attempt });
  }

  /** Whether GitHub shows the runs of a repository. @throws {GitHubError} where it does not say. */
  async sees(repository: string): Promise<boolean> {
    const [owner, repo] = split(repository);
    const answer = await this.#requests.get('GET /repos/{owner}/{repo}/actions/runs', { owner, repo, per_page: 1 });
    if ('status' in answer && answer.status === 404) return false;
    await this.#requests.expect(answer);
    return true;
  }

  #listingOf(repository: string): RunListing {
    let listing = this.#listings.get(repository);
    if (!listing) {
      listing = new RunListing(async (page, etag) => {
        const answer = await this.#list(repository, page, etag);
        if ('status' in answer && answer.status === 304) return undefined;
        const read = await this.#requests.expect(answer);
        return { etag: read.headers.etag, runs: readRuns(read), last: isLastPage(read, page) };
      });
      this.#listings.set(repository, listing);
    }
    return listing;
  }

  /** The run as it is now. @throws {GitHubError} */
  async read(repository: string, runId: number): Promise<RunView> {
    const [owner, repo] = split(repository);
    const answer = await this.#requests.expect(
      this.#requests.get('GET /repos/{owner}/{repo}/actions/runs/{run_id}', { owner, repo, run_id: runId }),
    );
    const read = view(run.parse(answer.body), answer);
    this.#listings.get(repository)?.note(read);
    return read;
  }

  #list(repository: string, page: number, etag?: string): Promise<DispatchAnswer> {
    const [owner, repo] = split(repository);
    return this.#requests.get('GET /repos/{owner}/{repo}/actions/runs', {
      owner,
      repo,
      per_page: PAGE,
      ...(page > 1 ? { page } : {}),
      ...(etag ? { headers: { 'if-none-match': etag } } : {}),
    });
  }
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
    workflow_id: listed.workflow_id,
    created_at: new Date(listed.created_at).toISOString(),
  }));
}

/** Whether no page follows. GitHub leaves some runs out of full pages, so a short page says nothing; an empty one does. */
function isLastPage({ headers, body }: Answer, page: number): boolean {
  const { workflow_runs: runs, total_count = 0 } = runPage.parse(body);
  if (runs.length === 0) return true;
  return runs.length < PAGE && total_count <= page * PAGE && !/rel="next"/.test(headers.link ?? '');
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
