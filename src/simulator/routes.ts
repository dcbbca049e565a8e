import type { HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import { type Answer, refusal } from './answer.ts';
import type { RequestKind } from './faults.ts';
import type { Endpoint, Gate, GitHubRequest } from './gate.ts';
import type { Ledger } from './ledger.ts';
import type { Shown } from './listing.ts';
import { type Moment, type Run, runAt } from './run.ts';

export type App = Hono<{ Bindings: HttpBindings }>;
type Method = 'GET' | 'POST' | 'DELETE';
type RepositoryEndpoint = (request: GitHubRequest, repository: string) => Answer;
type RunEndpoint = (request: GitHubRequest, run: Run, state: Moment) => Answer;

/**
 * Returns functions that add endpoints, and the runs that these find. Every repository exists, except `missing`. A forge gives the same
 * response to people who may not see one.
 *
 * @param base the path of the API
 * @param message the forge's words for what does not exist
 */
export function routesOf(app: App, gate: Gate, ledger: Ledger, base = '', message = 'Not Found') {
  const notFound = refusal(404, message);

  function on(method: Method, path: string, kind: RequestKind, endpoint: Endpoint): void {
    app.on(method, base + path, gate.guard(kind, endpoint));
  }

  function onRepository(method: Method, path: string, kind: RequestKind, endpoint: RepositoryEndpoint): void {
    on(method, `/repos/:owner/:repo${path}`, kind, (request) => {
      const { owner, repo } = request.params;
      return repo === 'missing' ? notFound : endpoint(request, `${owner}/${repo}`);
    });
  }

  function onRun(method: Method, path: string, kind: RequestKind, endpoint: RunEndpoint): void {
    onRepository(method, `/actions/runs/:id{[0-9]+}${path}`, kind, (request, repository) => {
      const found = runIn(repository, Number(request.params.id));
      return found ? endpoint(request, found.run, found.state) : notFound;
    });
  }

  function runIn(repository: string, id: number): Shown | undefined {
    const run = ledger.get(id);
    const state = run && runAt(run, Date.now());
    return run && state && sameName(run.repository, repository) ? { run, state } : undefined;
  }

  /** Returns the runs of a repository, newest first. */
  function runsOf(repository: string): Run[] {
    return ledger.all().filter((run) => sameName(run.repository, repository));
  }

  return { notFound, on, onRepository, onRun, runIn, runsOf };
}

function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
