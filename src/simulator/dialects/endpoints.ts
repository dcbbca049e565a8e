import type { HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import { type Answer, refusal } from '../answer.ts';
import { shortRef } from '../dispatch.ts';
import type { Gate, GitHubRequest } from '../gate.ts';
import type { Ledger } from '../ledger.ts';
import { pageOf, type Shown } from '../listing.ts';
import { headShaOf } from '../resources.ts';
import { type Moment, type Run, runAt } from '../run.ts';
import type { Settings } from '../settings.ts';
import { giteaRepository, giteaUser } from './gitea-resources.ts';

export type App = Hono<{ Bindings: HttpBindings }>;
export type Place = (request: GitHubRequest, repository: string) => Answer;
export type RunPlace = (request: GitHubRequest, run: Run, state: Moment) => Answer;

/** Gitea's message about inputs that are not strings. */
export const UNREADABLE =
  '[]: json: cannot unmarshal number into Go struct field CreateActionWorkflowDispatch.inputs of type string';

/** The largest page of Gitea and Forgejo. */
const MAX_PAGE = 50;
const DEFAULT_PAGE = 30;

/** Adds the endpoints that Gitea and Forgejo share, and returns what their other endpoints need. Both come from one code base. */
export function commonEndpoints(app: App, gate: Gate, ledger: Ledger, settings: () => Settings, version: string) {
  const api = '/api/v1';
  const repo = `${api}/repos/:owner/:repo`;
  const inRepository = (then: Place) => (request: GitHubRequest) => {
    const { owner, repo: name } = request.params;
    return name === 'missing' ? notFound() : then(request, `${owner}/${name}`);
  };
  const inRun = (then: RunPlace) =>
    inRepository((request, repository) => {
      const run = ledger.get(Number(request.params.id));
      const state = run && runAt(run, Date.now());
      if (!run || !state || run.repository.toLowerCase() !== repository.toLowerCase()) return notFound();
      return then(request, run, state);
    });
  app.get(
    `${api}/version`,
    gate.guard('root', () => ok({ version })),
  );
  app.get(
    `${api}/user`,
    gate.guard('root', ({ url }) => ok(giteaUser('octocat', url.origin))),
  );
  app.get(
    repo,
    gate.guard(
      'repository',
      inRepository(({ url }, name) => ok(giteaRepository(name, url.origin))),
    ),
  );

  /** Returns a page of a listing, with each run in the dialect's form. */
  function list(request: GitHubRequest, repository: string, shape: (shown: Shown, origin: string) => object): Answer {
    const { listingFault: fault, url } = request;
    const now = Date.now();
    const view = {
      at: fault?.kind === 'stale' ? now - fault.ms : now,
      createdUntil: now - Math.max(settings().listing_lag_ms, fault?.kind === 'lag' ? fault.ms : 0),
      omitNewest: fault?.kind === 'omit' ? (fault.count ?? Number.POSITIVE_INFINITY) : 0,
      leftOut: 0,
    };
    const asked = new URL(url);
    const limit = Math.min(MAX_PAGE, Number(url.searchParams.get('limit')) || DEFAULT_PAGE);
    asked.search = '';
    asked.searchParams.set('per_page', String(limit));
    asked.searchParams.set('page', url.searchParams.get('page') ?? '1');
    const runs = ledger.all().filter((one) => one.repository.toLowerCase() === repository.toLowerCase());
    const { shown, totalCount } = pageOf(
      runs.sort((a, b) => b.id - a.id),
      asked,
      view,
      headShaOf,
    );
    const body = { workflow_runs: shown.map((one) => shape(one, url.origin)), total_count: totalCount };
    return { status: 200, body, headers: { 'x-total-count': String(totalCount) } };
  }

  return { repo, inRepository, inRun, list };
}

/** Creates the run of a dispatch. Inputs that the workflow does not declare are dropped silently. */
export function createRun(
  ledger: Ledger,
  settings: Settings,
  asked: { repository: string; workflow: string; ref: string; inputs: Record<string, string> },
  titleOf: (declared: Record<string, string>) => string,
): Run {
  const { correlation_input, declares_correlation, declared_inputs } = settings;
  const declared = Object.fromEntries(
    Object.entries(asked.inputs).filter(([name]) =>
      name === correlation_input ? declares_correlation : declared_inputs === null || declared_inputs.includes(name),
    ),
  );
  return ledger.create({
    ...asked,
    ref: shortRef(asked.ref),
    inputs: declared,
    displayTitle: titleOf(declared),
    event: 'workflow_dispatch',
    actor: 'octocat',
    token: asked.inputs[correlation_input] ?? null,
  });
}

export function refExists(ref: string, { refs }: Settings): boolean {
  const short = shortRef(ref);
  return refs === null ? !short.startsWith('missing') : refs.map(shortRef).includes(short);
}

export function workflowExists(file: string, { workflows }: Settings): boolean {
  return workflows?.includes(file) ?? file !== 'missing.yml';
}

/** Returns the inputs of a dispatch; undefined unless all are strings. */
export function stringsOf(inputs: unknown): Record<string, string> | undefined {
  if (inputs === undefined || inputs === null) return {};
  if (typeof inputs !== 'object' || Array.isArray(inputs)) return undefined;
  const values = Object.values(inputs);
  return values.every((value) => typeof value === 'string') ? (inputs as Record<string, string>) : undefined;
}

export function parse(text: string): Record<string, unknown> | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

export function ok(body: unknown): Answer {
  return { status: 200, body };
}

export function notFound(): Answer {
  return refusal(404, 'not found');
}
