import { type Answer, refusal } from '../answer.ts';
import type { Gate, GitHubRequest } from '../gate.ts';
import type { Ledger } from '../ledger.ts';
import type { Moment, Run } from '../run.ts';
import type { Settings } from '../settings.ts';
import {
  type App,
  commonEndpoints,
  createRun,
  ok,
  parse,
  refExists,
  stringsOf,
  UNREADABLE,
  workflowExists,
} from './endpoints.ts';
import { forgejoJob, forgejoRun, UNDECLARED } from './forgejo-resources.ts';

/** Adds the endpoints of Forgejo 16 (routers/api/v1/repo/action.go in its sources). It has none that reruns a run. */
export function addForgejoEndpoints(app: App, gate: Gate, ledger: Ledger, settings: () => Settings): void {
  const { repo, inRepository, inRun, list } = commonEndpoints(app, gate, ledger, settings, '16.0.0+gitea-1.22.0');
  const run = `${repo}/actions/runs/:id{[0-9]+}`;
  app.post(`${repo}/actions/workflows/:workflow/dispatches`, gate.guard('dispatch', inRepository(dispatch)));
  app.get(
    `${repo}/actions/runs`,
    gate.guard(
      'list',
      inRepository((request, name) =>
        list(request, name, (shown, origin) => forgejoRun(shown.run, shown.state, origin)),
      ),
    ),
  );
  app.get(
    run,
    gate.guard(
      'get',
      inRun(({ url }, one, state) => ok(forgejoRun(one, state, url.origin))),
    ),
  );
  app.delete(run, gate.guard('delete', inRun(remove)));
  app.get(
    `${run}/jobs`,
    gate.guard(
      'jobs',
      inRun((_, one, state) => ok([forgejoJob(one, state)])),
    ),
  );
  app.post(`${run}/cancel`, gate.guard('cancel', inRun(cancel)));

  function dispatch({ params, text }: GitHubRequest, repository: string): Answer {
    const file = params.workflow ?? '';
    const body = parse(text);
    const inputs = body && stringsOf(body.inputs);
    if (!body || !inputs) return refusal(422, UNREADABLE);
    const { ref } = body;
    if (typeof ref !== 'string' || ref === '') return refusal(400, 'ref is empty');
    if (!refExists(ref, settings())) return refusal(404, `object does not exist [id: ${ref}, rel_path: ]`);
    // Only Forgejo's administrators learn that it has no such workflow.
    if (!workflowExists(file, settings())) return refusal(500, '');
    const absent = settings().required_inputs.find((name) => (inputs[name] ?? '') === '');
    if (absent !== undefined) return refusal(400, `input required for '${absent}'`);
    const { echoes_correlation } = settings();
    const created = createRun(ledger, settings(), { repository, workflow: file, ref, inputs }, () =>
      echoes_correlation ? file : UNDECLARED,
    );
    if (body.return_run_info !== true) return { status: 204 };
    return { status: 201, body: { id: created.id, run_number: created.runNumber, jobs: ['build'] } };
  }

  /** Cancels a run. The response is the same for one that has ended. */
  function cancel(_: GitHubRequest, one: Run): Answer {
    ledger.cancel(one, settings().cancel_takes_ms);
    return { status: 204 };
  }

  function remove(_: GitHubRequest, one: Run, state: Moment): Answer {
    if (state.status !== 'completed') return refusal(500, '');
    ledger.remove(one);
    return { status: 204 };
  }
}
