import { type Answer, refusal } from '../answer.ts';
import { createRun, refExists, shortRef, workflowExists } from '../dispatch.ts';
import type { Gate } from '../gate.ts';
import type { Ledger } from '../ledger.ts';
import type { App } from '../routes.ts';
import type { Settings } from '../settings.ts';
import { type Asked, commonEndpoints } from './endpoints.ts';
import { forgejoJob, forgejoRun, UNDECLARED } from './forgejo-resources.ts';

/** Adds the endpoints of Forgejo 16 (routers/api/v1/repo/action.go in its sources). It has none that reruns a run. */
export function addForgejoEndpoints(app: App, gate: Gate, ledger: Ledger, settings: () => Settings): void {
  const { onRun } = commonEndpoints(app, gate, ledger, settings, {
    version: '16.0.0+gitea-1.22.0',
    run: forgejoRun,
    jobs: (run, state) => [forgejoJob(run, state)],
    refuseOpen: refusal(500, ''),
    dispatch,
  });
  // The response is the same for a run that has ended.
  onRun('POST', '/cancel', 'cancel', (_, run) => {
    ledger.cancel(run, settings().cancel_takes_ms);
    return { status: 204 };
  });

  function dispatch({ repository, workflow, inputs, body }: Asked): Answer {
    const { ref } = body;
    if (typeof ref !== 'string' || ref === '') return refusal(400, 'ref is empty');
    if (!refExists(ref, settings())) return refusal(404, `object does not exist [id: ${ref}, rel_path: ]`);
    // Only Forgejo's administrators learn that it has no such workflow.
    if (!workflowExists(workflow, settings())) return refusal(500, '');
    const absent = settings().required_inputs.find((name) => (inputs[name] ?? '') === '');
    if (absent !== undefined) return refusal(400, `input required for '${absent}'`);
    const created = createRun(ledger, settings(), { repository, workflow, ref: shortRef(ref), inputs }, () =>
      settings().echoes_correlation ? workflow : UNDECLARED,
    );
    if (body.return_run_info !== true) return { status: 204 };
    return { status: 201, body: { id: created.id, run_number: created.runNumber, jobs: ['build'] } };
  }
}
