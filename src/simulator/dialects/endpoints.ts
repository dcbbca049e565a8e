import { type Answer, ok, type Refusal, refusal } from '../answer.ts';
import { parse } from '../dispatch.ts';
import type { Gate, GitHubRequest } from '../gate.ts';
import type { Ledger } from '../ledger.ts';
import { boundsOf, pageOf } from '../listing.ts';
import { type App, routesOf } from '../routes.ts';
import type { Moment, Run } from '../run.ts';
import type { Settings } from '../settings.ts';
import { giteaRepository, giteaUser } from './gitea-resources.ts';

/** How a dialect differs at the endpoints that both have. */
export interface Dialect {
  version: string;
  run(run: Run, state: Moment, origin: string): object;
  jobs(run: Run, state: Moment, origin: string): object;
  /** The response to the deletion of a run that has not ended. */
  refuseOpen: Refusal;
  dispatch(asked: Asked, url: URL): Answer;
}

/** A dispatch whose inputs are strings. */
export interface Asked {
  repository: string;
  workflow: string;
  inputs: Record<string, string>;
  body: Record<string, unknown>;
}

/** Gitea's message about inputs that are not strings. */
const UNREADABLE =
  '[]: json: cannot unmarshal number into Go struct field CreateActionWorkflowDispatch.inputs of type string';

/** The largest page of Gitea and Forgejo. */
const MAX_PAGE = 50;

/** Adds the endpoints that Gitea and Forgejo share, and returns what their other endpoints need. Both come from one code base. */
export function commonEndpoints(app: App, gate: Gate, ledger: Ledger, settings: () => Settings, dialect: Dialect) {
  const routes = routesOf(app, gate, ledger, '/api/v1', 'not found');
  const { on, onRepository, onRun, runsOf } = routes;
  on('GET', '/version', 'root', () => ok({ version: dialect.version }));
  on('GET', '/user', 'root', ({ url }) => ok(giteaUser('octocat', url.origin)));
  onRepository('GET', '', 'repository', ({ url }, name) => ok(giteaRepository(name, url.origin)));
  onRepository('POST', '/actions/workflows/:workflow/dispatches', 'dispatch', dispatch);
  onRepository('GET', '/actions/runs', 'list', list);
  onRun('GET', '', 'get', ({ url }, run, state) => ok(dialect.run(run, state, url.origin)));
  onRun('DELETE', '', 'delete', remove);
  onRun('GET', '/jobs', 'jobs', ({ url }, run, state) => ok(dialect.jobs(run, state, url.origin)));

  function dispatch({ params, text, url }: GitHubRequest, repository: string): Answer {
    const body = parse(text);
    if (typeof body !== 'object' || body === null) return refusal(422, UNREADABLE);
    const fields = body as Record<string, unknown>;
    const inputs = stringsOf(fields.inputs);
    if (!inputs) return refusal(422, UNREADABLE);
    return dialect.dispatch({ repository, workflow: params.workflow ?? '', inputs, body: fields }, url);
  }

  function list({ listingFault, url }: GitHubRequest, repository: string): Answer {
    const asked = new URL(url);
    asked.search = '';
    asked.searchParams.set('per_page', String(boundsOf(url.searchParams, 'limit', MAX_PAGE).perPage));
    asked.searchParams.set('page', url.searchParams.get('page') ?? '1');
    const runs = runsOf(repository).sort((a, b) => b.id - a.id);
    const { shown, totalCount } = pageOf(runs, asked, listingFault, settings());
    const workflow_runs = shown.map(({ run, state }) => dialect.run(run, state, url.origin));
    return {
      ...ok({ workflow_runs, total_count: totalCount }),
      headers: { 'x-total-count': String(totalCount) },
    };
  }

  function remove(_: GitHubRequest, run: Run, state: Moment): Answer {
    if (state.status !== 'completed') return dialect.refuseOpen;
    ledger.remove(run);
    return { status: 204 };
  }

  return routes;
}

/** Returns the inputs of a dispatch; undefined unless all are strings. */
function stringsOf(inputs: unknown): Record<string, string> | undefined {
  if (inputs === undefined || inputs === null) return {};
  if (typeof inputs !== 'object' || Array.isArray(inputs)) return undefined;
  const values = Object.values(inputs);
  return values.every((value) => typeof value === 'string') ? (inputs as Record<string, string>) : undefined;
}
