import { type Answer, ok, refusal } from '../answer.ts';
import { artifactPage } from '../artifacts.ts';
import { createRun, refExists, shortRef, workflowExists } from '../dispatch.ts';
import type { Gate, GitHubRequest } from '../gate.ts';
import type { Ledger } from '../ledger.ts';
import type { App } from '../routes.ts';
import type { Moment, Run } from '../run.ts';
import type { Settings } from '../settings.ts';
import { type Asked, commonEndpoints } from './endpoints.ts';
import { giteaArtifact, giteaJob, giteaRun, giteaRunUrls, giteaWorkflow } from './gitea-resources.ts';

/** Adds the endpoints of Gitea 1.26 (routers/api/v1/repo/action.go in its sources). It has none that stops a run. */
export function addGiteaEndpoints(app: App, gate: Gate, ledger: Ledger, settings: () => Settings): void {
  const refuseOpen = refusal(400, 'this workflow run is not done');
  const { notFound, onRepository, onRun } = commonEndpoints(app, gate, ledger, settings, {
    version: '1.26.0',
    run: giteaRun,
    jobs: (run, state, origin) => ({ jobs: [giteaJob(run, state, origin)], total_count: 1 }),
    refuseOpen,
    dispatch,
  });
  onRepository('GET', '/actions/workflows/:workflow', 'workflow', showWorkflow);
  onRun('GET', '/artifacts', 'artifacts', ({ url }, run, state) =>
    artifactPage(run, state, settings().artifacts, url, 'limit', giteaArtifact),
  );
  onRun('POST', '/rerun', 'rerun', rerun);
  onRun('POST', '/rerun-failed-jobs', 'rerun', rerun);

  function showWorkflow({ params, url }: GitHubRequest, repository: string): Answer {
    const file = params.workflow ?? '';
    if (!workflowExists(file, settings())) return notFound;
    return ok(giteaWorkflow(repository, file, file === 'disabled.yml' ? 'disabled_manually' : 'active', url.origin));
  }

  function dispatch({ repository, workflow, inputs, body: { ref } }: Asked, url: URL): Answer {
    if (typeof ref !== 'string' || ref === '') return refusal(422, '[Ref]: Required');
    if (workflow === 'disabled.yml') return refusal(403, 'workflow is disabled');
    if (!refExists(ref, settings())) return refusal(404, `ref "${ref}" doesn't exist`);
    if (!workflowExists(workflow, settings())) return refusal(404, `workflow "${workflow}" doesn't exist`);
    const created = createRun(ledger, settings(), { repository, workflow, ref: shortRef(ref), inputs }, (token) =>
      token !== undefined && settings().echoes_correlation ? `Build ${ref} [${token}]` : 'The last commit',
    );
    // Gitea ignores it in the body.
    if (url.searchParams.get('return_run_details') !== 'true') return { status: 204 };
    return ok({ workflow_run_id: created.id, ...giteaRunUrls(repository, created.id, url.origin) });
  }

  function rerun({ url }: GitHubRequest, run: Run, state: Moment): Answer {
    if (state.status !== 'completed') return refuseOpen;
    ledger.rerun(run);
    const begun = { ...state, status: 'queued', conclusion: null, attempt: state.attempt + 1 };
    return { status: 201, body: giteaRun(run, begun, url.origin) };
  }
}
