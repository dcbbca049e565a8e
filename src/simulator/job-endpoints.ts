import { type Answer, ok, refusal } from './answer.ts';
import type { Gate, GitHubRequest } from './gate.ts';
import { annotationAnswer, jobAnswer, jobPlaceOf, jobsOf } from './jobs.ts';
import type { Ledger } from './ledger.ts';
import { boundsOf } from './listing.ts';
import { type App, routesOf } from './routes.ts';
import { type Moment, type Run, timeline } from './run.ts';
import type { Settings } from './settings.ts';

/** Adds the endpoints for the jobs of a run and their annotations. */
export function addJobEndpoints(app: App, gate: Gate, ledger: Ledger, settings: () => Settings): void {
  const { notFound, onRepository, onRun, runIn } = routesOf(app, gate, ledger);
  onRun('GET', '/attempts/:attempt{[0-9]+}/jobs', 'jobs', listJobs);
  onRepository('GET', '/check-runs/:id{[0-9]+}/annotations', 'annotations', listAnnotations);

  function listJobs({ params, url }: GitHubRequest, run: Run): Answer {
    const state = attemptOf(run, Number(params.attempt));
    if (!state) return notFound;
    const jobs = jobsOf(state, settings().jobs).map((job, index) => jobAnswer(run, state, job, index, url.origin));
    return ok({ total_count: jobs.length, jobs: pageIn(jobs, url) });
  }

  function listAnnotations({ params, url }: GitHubRequest, repository: string): Answer {
    if (!settings().may_read_checks) return refusal(403, 'Resource not accessible by personal access token');
    const { runId, attempt, index } = jobPlaceOf(Number(params.id));
    const run = runIn(repository, runId)?.run;
    const state = run && attemptOf(run, attempt);
    const job = state && jobsOf(state, settings().jobs)[index];
    if (!job) return notFound;
    return ok(pageIn(job.annotations, url).map((annotation) => annotationAnswer(run, annotation, url.origin)));
  }
}

/** Returns the state in which an attempt is now. */
function attemptOf(run: Run, attempt: number): Moment | undefined {
  const now = Date.now();
  return timeline(run).findLast((moment) => moment.attempt === attempt && moment.at <= now);
}

function pageIn<Element>(all: Element[], { searchParams }: URL): Element[] {
  const { start, end } = boundsOf(searchParams);
  return all.slice(start, end);
}
