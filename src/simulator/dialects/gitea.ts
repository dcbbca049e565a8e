import { type Answer, refusal } from '../answer.ts';
import { artifactPage } from '../artifacts.ts';
import type { Gate, GitHubRequest } from '../gate.ts';
import type { Ledger } from '../ledger.ts';
import type { Moment, Run } from '../run.ts';
import type { Settings } from '../settings.ts';
import {
  type App,
  commonEndpoints,
  createRun,
  notFound,
  ok,
  parse,
  refExists,
  stringsOf,
  UNREADABLE,
  workflowExists,
} from './endpoints.ts';
import { giteaArtifact, giteaJob, giteaRun, giteaRunUrls, giteaWorkflow } from './gitea-resources.ts';

/** Adds the endpoints of Gitea 1.26 (routers/api/v1/repo/action.go in its sources). It has none that stops a run. */
export function addGiteaEndpoints(app: App, gate: Gate, ledger: Ledger, settings: () => Settings): void {
  const { repo, inRepository, inRun, list } = commonEndpoints(app, gate, ledger, settings, '1.26.0');
  const workflow = `${repo}/actions/workflows/:workflow`;
  const run = `${repo}/actions/runs/:id{[0-9]+}`;
  app.get(workflow, gate.guard('workflow', inRepository(showWorkflow)));
  app.post(`${workflow}/dispatches`, gate.guard('dispatch', inRepository(dispatch)));
  app.get(
    `${repo}/actions/runs`,
    gate.guard(
      'list',
      inRepository((request, name) => list(request, name, (shown, origin) => giteaRun(shown.run, shown.state, origin))),
    ),
  );
  app.get(
    run,
    gate.guard(
      'get',
      inRun(({ url }, one, state) => ok(giteaRun(one, state, url.origin))),
    ),
  );
  app.delete(run, gate.guard('delete', inRun(remove)));
  app.get(
    `${run}/jobs`,
    gate.guard(
      'jobs',
      inRun(({ url }, one, state) => ok({ jobs: [giteaJob(one, state, url.origin)], total_count: 1 })),
    ),
  );
  app.get(
    `${run}/artifacts`,
    gate.guard(
      'artifacts',
      inRun(({ url }, one, state) => artifactPage(one, state, settings().artifacts, url, 'limit', giteaArtifact)),
    ),
  );
  app.post(`${run}/rerun`, gate.guard('rerun', inRun(rerun)));
  app.post(`${run}/rerun-failed-jobs`, gate.guard('rerun', inRun(rerun)));

  function showWorkflow({ params, url }: GitHubRequest, repository: string): Answer {
    const file = params.workflow ?? '';
    if (!workflowExists(file, settings())) return notFound();
    return ok(giteaWorkflow(repository, file, file === 'disabled.yml' ? 'disabled_manually' : 'active', url.origin));
  }

  function dispatch({ params, text, url }: GitHubRequest, repository: string): Answer {
    const file = params.workflow ?? '';
    const body = parse(text);
    const inputs = body && stringsOf(body.inputs);
    if (!body || !inputs) return refusal(422, UNREADABLE);
    const { ref } = body;
    if (typeof ref !== 'string' || ref === '') return refusal(422, '[Ref]: Required');
    if (file === 'disabled.yml') return refusal(403, 'workflow is disabled');
    if (!refExists(ref, settings())) return refusal(404, `ref "${ref}" doesn't exist`);
    if (!workflowExists(file, settings())) return refusal(404, `workflow "${file}" doesn't exist`);
    const { correlation_input, echoes_correlation } = settings();
    const created = createRun(ledger, settings(), { repository, workflow: file, ref, inputs }, (declared) => {
      const token = declared[correlation_input];
      return token !== undefined && echoes_correlation ? `Build ${ref} [${token}]` : 'The last commit';
    });
    // Gitea ignores it in the body.
    if (url.searchParams.get('return_run_details') !== 'true') return { status: 204 };
    return ok({ workflow_run_id: created.id, ...giteaRunUrls(repository, created.id, url.origin) });
  }

  function rerun({ url }: GitHubRequest, one: Run, state: Moment): Answer {
    if (state.status !== 'completed') return refusal(400, 'this workflow run is not done');
    ledger.rerun(one);
    const begun = { ...state, status: 'queued', conclusion: null, attempt: state.attempt + 1 };
    return { status: 201, body: giteaRun(one, begun, url.origin) };
  }

  function remove(_: GitHubRequest, one: Run, state: Moment): Answer {
    if (state.status !== 'completed') return refusal(400, 'this workflow run is not done');
    ledger.remove(one);
    return { status: 204 };
  }
}
