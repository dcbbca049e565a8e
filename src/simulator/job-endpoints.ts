import type { HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import { type Answer, refusal } from './answer.ts';
import type { Gate, GitHubRequest } from './gate.ts';
import { annotationAnswer, jobAnswer, jobPlaceOf, jobsOf } from './jobs.ts';
import type { Ledger } from './ledger.ts';
import { type Moment, type Run, timeline } from './run.ts';
import type { Settings } from './settings.ts';

/** Adds the endpoints for the jobs of a run and their annotations. */
export function addJobEndpoints(
  app: Hono<{ Bindings: HttpBindings }>,
  gate: Gate,
  ledger: Ledger,
  settings: () => Settings,
): void {
  const repo = '/repos/:owner/:repo';
  app.get(`${repo}/actions/runs/:id{[0-9]+}/attempts/:attempt{[0-9]+}/jobs`, gate.guard('jobs', listJobs));
  app.get(`${repo}/check-runs/:id{[0-9]+}/annotations`, gate.guard('annotations', listAnnotations));

  function listJobs({ params, url }: GitHubRequest): Answer {
    const found = attemptOf(params, Number(params.id), Number(params.attempt));
    if (!found) return refusal(404, 'Not Found');
    const jobs = jobsOf(found.state, settings().jobs).map((job, index) =>
      jobAnswer(found.run, found.state, job, index, url.origin),
    );
    return { status: 200, body: { total_count: jobs.length, jobs: pageOf(jobs, url) } };
  }

  function listAnnotations({ params, url }: GitHubRequest): Answer {
    if (!settings().may_read_checks) return refusal(403, 'Resource not accessible by personal access token');
    const { runId, attempt, index } = jobPlaceOf(Number(params.id));
    const found = attemptOf(params, runId, attempt);
    const job = found && jobsOf(found.state, settings().jobs)[index];
    if (!job) return refusal(404, 'Not Found');
    const annotations = job.annotations.map((annotation) => annotationAnswer(found.run, annotation, url.origin));
    return { status: 200, body: pageOf(annotations, url) };
  }

  function attemptOf(
    { owner, repo: name }: GitHubRequest['params'],
    runId: number,
    attempt: number,
  ): { run: Run; state: Moment } | undefined {
    const run = ledger.get(runId);
    if (!run || run.deletedAt !== null || run.repository.toLowerCase() !== `${owner}/${name}`.toLowerCase()) return;
    const now = Date.now();
    const state = timeline(run).findLast((moment) => moment.attempt === attempt && moment.at <= now);
    return state && { run, state };
  }
}

function pageOf<Element>(all: Element[], { searchParams }: URL): Element[] {
  const perPage = Math.min(100, Number(searchParams.get('per_page') ?? 30));
  const page = Number(searchParams.get('page') ?? 1);
  return all.slice((page - 1) * perPage, page * perPage);
}
