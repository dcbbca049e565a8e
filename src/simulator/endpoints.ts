import { type Answer, ok, refusal } from './answer.ts';
import { createRun, parse, readDispatch, workflowExists } from './dispatch.ts';
import type { RequestKind } from './faults.ts';
import type { Gate, GitHubRequest } from './gate.ts';
import type { Ledger } from './ledger.ts';
import { pageOf } from './listing.ts';
import {
  rateLimitAnswer,
  repositoryAnswer,
  rootAnswer,
  runAnswer,
  runUrls,
  workflowAnswer,
  workflowIdOf,
} from './resources.ts';
import { type App, routesOf } from './routes.ts';
import { LOST_ANSWER, type Moment, type Run, runAt } from './run.ts';
import type { Settings } from './settings.ts';

/** The version of the API from which a dispatch always returns details. */
const DETAILS_ALWAYS_FROM = '2026-03-10';

/** Adds the endpoints of GitHub's API that a client of workflow runs uses. */
export function addEndpoints(app: App, gate: Gate, ledger: Ledger, settings: () => Settings): void {
  const { notFound, on, onRepository, onRun, runsOf } = routesOf(app, gate, ledger);

  on('GET', '/', 'root', ({ url }) => ok(rootAnswer(url.origin)));
  on('GET', '/rate_limit', 'rate_limit', ({ rateLimit }) => ok(rateLimitAnswer(rateLimit())));
  onRepository('GET', '', 'repository', ({ url }, name) => ok(repositoryAnswer(name, url.origin)));
  onWorkflow('GET', '', 'workflow', showWorkflow);
  onWorkflow('POST', '/dispatches', 'dispatch', dispatch);
  onRepository('GET', '/actions/runs', 'list', list);
  onWorkflow('GET', '/runs', 'list', list);
  onRun('GET', '', 'get', ({ url }, run, state) => ok(shapeOf(run, state, url)));
  onRun('DELETE', '', 'delete', remove);
  onRun('POST', '/cancel', 'cancel', (_, run, state) => cancel(run, state, settings().cancel_takes_ms));
  onRun('POST', '/force-cancel', 'cancel', (_, run, state) => cancel(run, state, 0));
  onRun('POST', '/rerun', 'rerun', rerun);
  onRun('POST', '/rerun-failed-jobs', 'rerun', rerun);

  // The page at html_url, for people.
  app.get('/:owner/:repo/actions/runs/:id{[0-9]+}', (c) => {
    const one = ledger.get(Number(c.req.param('id')));
    const state = one && runAt(one, Date.now());
    if (one === undefined || state === undefined) return c.text('Simulated GitHub: no such run', 404);
    return c.text(`Simulated GitHub: ${one.displayTitle}\n${state.status} ${state.conclusion ?? ''}\n`);
  });

  /** Adds an endpoint of a workflow file that exists. A number works too, once a run of that workflow exists. */
  function onWorkflow(
    method: 'GET' | 'POST',
    path: string,
    kind: RequestKind,
    endpoint: (request: GitHubRequest, repository: string, file: string) => Answer,
  ): void {
    onRepository(method, `/actions/workflows/:workflow${path}`, kind, (request, repository) => {
      const name = request.params.workflow ?? '';
      const file = /^\d+$/.test(name)
        ? runsOf(repository).find(({ workflow }) => workflowIdOf(repository, workflow) === Number(name))?.workflow
        : name;
      return file !== undefined && workflowExists(file, settings()) ? endpoint(request, repository, file) : notFound;
    });
  }

  function showWorkflow({ url }: GitHubRequest, repository: string, file: string): Answer {
    const state = file === 'disabled.yml' ? 'disabled_manually' : 'active';
    return ok(workflowAnswer(repository, file, state, url.origin));
  }

  function dispatch(request: GitHubRequest, repository: string, workflow: string): Answer {
    const body = parse(request.text);
    if (body === undefined) return refusal(400, 'Problems parsing JSON');
    const asked = readDispatch(body, workflow, settings());
    if ('status' in asked) return asked;
    const { ref, inputs, wantsDetails } = asked;
    const created = createRun(ledger, settings(), { repository, workflow, ref, inputs }, (token) => {
      const echo = token !== undefined && settings().echoes_correlation ? ` [${token}]` : '';
      return `Build ${ref}${echo}`;
    });
    if (inputs.simulate === LOST_ANSWER) return refusal(502, 'Server Error');
    if (!wantsDetails && request.apiVersion < DETAILS_ALWAYS_FROM) return { status: 204 };
    return ok({ workflow_run_id: created.id, ...runUrls(repository, created.id, request.url.origin) });
  }

  function list({ listingFault, url }: GitHubRequest, repository: string, file?: string): Answer {
    const runs = runsOf(repository).filter(({ workflow }) => file === undefined || workflow === file);
    const { totalCount, shown, link } = pageOf(runs, url, listingFault, settings());
    const workflow_runs = shown.map(({ run, state }) => shapeOf(run, state, url));
    return { ...ok({ total_count: totalCount, workflow_runs }), headers: link === undefined ? {} : { link } };
  }

  function shapeOf(run: Run, state: Moment, { origin }: URL) {
    return runAnswer(run, state, origin, settings().clock_off_ms);
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
