import type { HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import { type Answer, refusal } from './answer.ts';
import { readDispatch } from './dispatch.ts';
import type { Gate, GitHubRequest } from './gate.ts';
import type { Ledger } from './ledger.ts';
import { isFiltered, pageOf } from './listing.ts';
import {
  headShaOf,
  rateLimitAnswer,
  repositoryAnswer,
  rootAnswer,
  runAnswer,
  runUrls,
  workflowAnswer,
  workflowIdOf,
} from './resources.ts';
import { LOST_ANSWER, type Moment, type Run, runAt } from './run.ts';
import type { Settings } from './settings.ts';

/** The version of the API from which a dispatch always returns details. */
const DETAILS_ALWAYS_FROM = '2026-03-10';

/** Adds the endpoints of GitHub's API that a client of workflow runs uses. */
export function addEndpoints(
  app: Hono<{ Bindings: HttpBindings }>,
  gate: Gate,
  ledger: Ledger,
  settings: () => Settings,
): void {
  const repo = '/repos/:owner/:repo';
  const run = `${repo}/actions/runs/:id{[0-9]+}`;
  const workflow = `${repo}/actions/workflows/:workflow`;

  app.get(
    '/',
    gate.guard('root', ({ url }) => ok(rootAnswer(url.origin))),
  );
  app.get(
    '/rate_limit',
    gate.guard('rate_limit', ({ rateLimit }) => ok(rateLimitAnswer(rateLimit()))),
  );
  app.get(
    repo,
    gate.guard(
      'repository',
      inRepository((request, name) => ok(repositoryAnswer(name, request.url.origin))),
    ),
  );
  app.get(workflow, gate.guard('workflow', inWorkflow(ledger, settings, showWorkflow)));
  app.post(`${workflow}/dispatches`, gate.guard('dispatch', inWorkflow(ledger, settings, dispatch)));
  app.get(
    `${repo}/actions/runs`,
    gate.guard(
      'list',
      inRepository((request, name) => list(request, name, () => true)),
    ),
  );
  app.get(
    `${workflow}/runs`,
    gate.guard(
      'list',
      inWorkflow(ledger, settings, (request, name, file) => list(request, name, (one) => one.workflow === file)),
    ),
  );
  app.get(
    run,
    gate.guard(
      'get',
      inRun(ledger, (request, one, state) => ok(runAnswer(one, state, request.url.origin, settings().clock_off_ms))),
    ),
  );
  app.delete(run, gate.guard('delete', inRun(ledger, remove)));
  app.post(
    `${run}/cancel`,
    gate.guard(
      'cancel',
      inRun(ledger, (_, one, state) => cancel(one, state, settings().cancel_takes_ms)),
    ),
  );
  app.post(
    `${run}/force-cancel`,
    gate.guard(
      'cancel',
      inRun(ledger, (_, one, state) => cancel(one, state, 0)),
    ),
  );
  app.post(`${run}/rerun`, gate.guard('rerun', inRun(ledger, rerun)));
  app.post(`${run}/rerun-failed-jobs`, gate.guard('rerun', inRun(ledger, rerun)));

  // The page at html_url, for people.
  app.get('/:owner/:repo/actions/runs/:id{[0-9]+}', (c) => {
    const one = ledger.get(Number(c.req.param('id')));
    const state = one && runAt(one, Date.now());
    if (one === undefined || state === undefined) return c.text('Simulated GitHub: no such run', 404);
    return c.text(`Simulated GitHub: ${one.displayTitle}\n${state.status} ${state.conclusion ?? ''}\n`);
  });

  function showWorkflow(request: GitHubRequest, repository: string, file: string): Answer {
    const state = file === 'disabled.yml' ? 'disabled_manually' : 'active';
    return ok(workflowAnswer(repository, file, state, request.url.origin));
  }

  function dispatch(request: GitHubRequest, repository: string, workflow: string): Answer {
    const body = parse(request.text);
    if (body === undefined) return refusal(400, 'Problems parsing JSON');
    const asked = readDispatch(body, workflow, settings());
    if ('status' in asked) return asked;
    const token = asked.inputs[settings().correlation_input] ?? null;
    const echo = token !== null && settings().echoes_correlation ? ` [${token}]` : '';
    const created = ledger.create({
      repository,
      workflow,
      ref: asked.ref,
      displayTitle: `Build ${asked.ref}${echo}`,
      event: 'workflow_dispatch',
      actor: 'octocat',
      inputs: asked.inputs,
      token,
    });
    if (asked.inputs.simulate === LOST_ANSWER) return refusal(502, 'Server Error');
    if (!asked.wantsDetails && request.apiVersion < DETAILS_ALWAYS_FROM) return { status: 204 };
    return ok({ workflow_run_id: created.id, ...runUrls(repository, created.id, request.url.origin) });
  }

  function list(request: GitHubRequest, repository: string, wanted: (run: Run) => boolean): Answer {
    const now = Date.now();
    const { listingFault: fault, url } = request;
    const hideAll = (isFiltered(url.searchParams) && settings().filtered_listings === 'empty') || isOmitAll(fault);
    const at = fault?.kind === 'stale' ? now - fault.ms : now;
    const lagMs = Math.max(settings().listing_lag_ms, fault?.kind === 'lag' ? fault.ms : 0);
    const omitNewest = hideAll ? Number.POSITIVE_INFINITY : fault?.kind === 'omit' ? (fault.count ?? 0) : 0;
    const runs = ledger.all().filter((one) => sameName(one.repository, repository) && wanted(one));
    const view = { at, createdUntil: at - lagMs, omitNewest, leftOut: settings().short_pages };
    const page = pageOf(runs, url, view, headShaOf);
    return {
      status: 200,
      body: {
        total_count: page.totalCount,
        workflow_runs: page.shown.map((shown) =>
          runAnswer(shown.run, shown.state, url.origin, settings().clock_off_ms),
        ),
      },
      headers: page.link === undefined ? {} : { link: page.link },
    };
  }

  function cancel(one: Run, state: Moment, takesMs: number): Answer {
    if (state.status === 'completed') return refusal(409, 'Cannot cancel a workflow run that is completed.');
    ledger.cancel(one, takesMs);
    return { status: 202, body: {} };
  }

  function rerun(_: GitHubRequest, one: Run, state: Moment): Answer {
    if (state.status !== 'completed') return refusal(403, 'This workflow is already running');
    ledger.rerun(one);
    return { status: 201, body: {} };
  }

  function remove(_: GitHubRequest, one: Run, state: Moment): Answer {
    if (state.status !== 'completed') return refusal(403, 'Could not delete the workflow run');
    ledger.remove(one);
    return { status: 204 };
  }
}

function ok(body: unknown): Answer {
  return { status: 200, body };
}

function isOmitAll(fault: GitHubRequest['listingFault']): boolean {
  return fault?.kind === 'omit' && fault.count === null;
}

function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * Wraps an endpoint of a repository. Every repository exists, except `missing`. GitHub's response is the same to people who may not see
 * one.
 */
function inRepository(
  then: (request: GitHubRequest, repository: string) => Answer,
): (request: GitHubRequest) => Answer {
  return (request) => {
    const { owner, repo } = request.params;
    return repo === 'missing' ? refusal(404, 'Not Found') : then(request, `${owner}/${repo}`);
  };
}

/** Wraps an endpoint of a workflow file that exists. A number works too, once a run of that workflow exists. */
function inWorkflow(
  ledger: Ledger,
  settings: () => Settings,
  then: (request: GitHubRequest, repository: string, file: string) => Answer,
): (request: GitHubRequest) => Answer {
  return inRepository((request, repository) => {
    const name = request.params.workflow ?? '';
    const file = /^\d+$/.test(name)
      ? ledger.all().find((run) => isWorkflow(run, repository, Number(name)))?.workflow
      : name;
    const exists = file !== undefined && (settings().workflows?.includes(file) ?? file !== 'missing.yml');
    return exists ? then(request, repository, file) : refusal(404, 'Not Found');
  });
}

function isWorkflow(run: Run, repository: string, id: number): boolean {
  return sameName(run.repository, repository) && workflowIdOf(repository, run.workflow) === id;
}

function inRun(
  ledger: Ledger,
  then: (request: GitHubRequest, run: Run, state: Moment) => Answer,
): (request: GitHubRequest) => Answer {
  return inRepository((request, repository) => {
    const run = ledger.get(Number(request.params.id));
    const state = run && runAt(run, Date.now());
    if (run === undefined || state === undefined || !sameName(run.repository, repository))
      return refusal(404, 'Not Found');
    return then(request, run, state);
  });
}
