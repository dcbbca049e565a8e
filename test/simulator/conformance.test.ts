import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { eventually, simulate } from './harness.ts';
import { faultsOfAnswer, faultsOfEvent } from './openapi.ts';
import { receive } from './receiver.ts';

const runs = '/repos/{owner}/{repo}/actions/runs';
const workflows = '/repos/{owner}/{repo}/actions/workflows/{workflow_id}';

test('every answer has the shape that GitHub publishes', async () => {
  const github = await simulate();
  const seen = new Set<string>();

  async function check(
    operation: string,
    path: string,
    status: number,
    body?: unknown,
  ): Promise<{ workflow_run_id: number; jobs: { id: number }[] }> {
    const response = await fetch(github.url + path, {
      method: operation.split(' ')[0] ?? '',
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await response.text();
    const json = text === '' ? undefined : JSON.parse(text);
    expect(response.status, `${operation} ${text.slice(0, 200)}`).toBe(status);
    expect(faultsOfAnswer(operation, status, json), operation).toEqual([]);
    for (const name of ['limit', 'remaining', 'used', 'reset', 'resource']) {
      expect(response.headers.get(`x-ratelimit-${name}`), operation).not.toBeNull();
    }
    expect(response.headers.get('x-github-request-id')).not.toBeNull();
    seen.add(`${operation} ${status}`);
    return json;
  }

  const build = '/repos/acme/images/actions/workflows/build.yml';
  const dispatch = `POST ${workflows}/dispatches`;
  await check('GET /', '/', 200);
  await check('GET /rate_limit', '/rate_limit', 200);
  await check('GET /repos/{owner}/{repo}', '/repos/acme/images', 200);
  await check('GET /repos/{owner}/{repo}', '/repos/acme/missing', 404);
  await check(`GET ${workflows}`, build, 200);
  await check(`GET ${workflows}`, build.replace('build', 'missing'), 404);
  await check(dispatch, `${build}/dispatches`, 204, { ref: 'main' });
  const details = { ref: 'main', return_run_details: true, inputs: { hapax_id: 't' } };
  const { workflow_run_id: id } = await check(dispatch, `${build}/dispatches`, 200, details);
  await check(dispatch, `${build}/dispatches`, 422, {});
  await check(dispatch, `${build}/dispatches`, 400);
  await check(dispatch, '/repos/acme/missing/actions/workflows/build.yml/dispatches', 404, { ref: 'main' });
  await check(`GET ${runs}`, '/repos/acme/images/actions/runs', 200);
  await check(`GET ${workflows}/runs`, `${build}/runs`, 200);

  const run = `/repos/acme/images/actions/runs/${id}`;
  for (const [status, conclusion] of [
    ['queued'],
    ['in_progress'],
    ['waiting'],
    ['completed', 'startup_failure'],
  ] as const) {
    await github.force(id, status, conclusion ?? null);
    await check(`GET ${runs}/{run_id}`, run, 200);
  }
  const jobs = `${runs}/{run_id}/attempts/{attempt_number}/jobs`;
  await check(`GET ${jobs}`, `${run}/attempts/1/jobs`, 200);
  await check(`GET ${jobs}`, `${run}/attempts/2/jobs`, 404);
  await github.force(id, 'completed', 'failure');
  const annotations = '/repos/{owner}/{repo}/check-runs/{check_run_id}/annotations';
  const { jobs: failed } = await check(`GET ${jobs}`, `${run}/attempts/1/jobs`, 200);
  const checkRun = `/repos/acme/images/check-runs/${failed[0]!.id}/annotations`;
  expect(await check(`GET ${annotations}`, checkRun, 200)).toHaveLength(1);
  await github.set({ may_read_checks: false });
  await check(`GET ${annotations}`, checkRun, 403);
  await check(`POST ${runs}/{run_id}/cancel`, `${run}/cancel`, 409);
  await check(`POST ${runs}/{run_id}/force-cancel`, `${run}/force-cancel`, 409);
  await check(`POST ${runs}/{run_id}/rerun`, `${run}/rerun`, 201);
  await check(`POST ${runs}/{run_id}/rerun`, `${run}/rerun`, 403);
  await check(`GET ${runs}/{run_id}`, run, 200);
  await check(`DELETE ${runs}/{run_id}`, run, 403);
  await check(`POST ${runs}/{run_id}/cancel`, `${run}/cancel`, 202);
  await check(`POST ${runs}/{run_id}/force-cancel`, `${run}/force-cancel`, 202);
  await github.force(id, 'completed', 'failure');
  await check(`POST ${runs}/{run_id}/rerun-failed-jobs`, `${run}/rerun-failed-jobs`, 201);
  await github.force(id, 'completed', 'success');
  await check(`DELETE ${runs}/{run_id}`, run, 204);
  await check(`GET ${runs}/{run_id}`, run, 404);

  const { workflow_run_id: second } = await check(dispatch, `${build}/dispatches`, 200, details);
  const digest = `sha256:${'ab'.repeat(32)}`;
  const image = { name: 'image', digest };
  await github.set({
    artifacts: [image, { name: 'old', expired: true }],
    attestations: { [digest]: [{}, {}] },
    embeds_bundles: true,
  });
  const artifacts = `/repos/acme/images/actions/runs/${second}/artifacts`;
  await github.force(second, 'completed', 'success');
  expect(await check(`GET ${runs}/{run_id}/artifacts`, artifacts, 200)).toMatchObject({ artifacts: [image, {}] });
  const page = await check(`GET ${runs}/{run_id}/artifacts`, `${artifacts}?per_page=1&page=2`, 200);
  expect(page).toMatchObject({ total_count: 2, artifacts: [{ name: 'old', digest: null, expired: true }] });
  await check(`GET ${runs}/{run_id}/artifacts`, artifacts.replace(String(second), '1'), 404);
  const attestations = '/repos/{owner}/{repo}/attestations/{subject_digest}';
  await check(`GET ${attestations}`, `/repos/acme/images/attestations/${digest}`, 200);
  await check(`GET ${attestations}`, `/repos/acme/images/attestations/${digest.replace('ab', 'cd')}`, 404);
  await github.set({ may_read_attestations: false });
  await check(`GET ${attestations}`, `/repos/acme/images/attestations/${digest}`, 403);

  const hooks = '/repos/{owner}/{repo}/hooks';
  await check(`GET ${hooks}`, '/repos/acme/images/hooks', 200);
  await github.set({ webhook: { url: 'http://127.0.0.1:9/webhooks/github', secret: 's' } });
  await github.dispatch('t');
  await eventually(async () => expect((await github.oracle()).webhooks.sent).toBe(1));
  await check(`GET ${hooks}`, '/repos/acme/images/hooks', 200);
  const deliveries = `${hooks}/{hook_id}/deliveries`;
  const listed = await eventually(async () => {
    const answer = await check(`GET ${deliveries}`, '/repos/acme/images/hooks/1/deliveries', 200);
    expect(answer).toHaveLength(1);
    return answer as unknown as { id: number }[];
  });
  const attempts = `/repos/acme/images/hooks/1/deliveries/${listed[0]!.id}/attempts`;
  await check(`POST ${deliveries}/{delivery_id}/attempts`, attempts, 202);
  await github.set({ may_list_hooks: false });
  await check(`GET ${hooks}`, '/repos/acme/images/hooks', 404);

  for (const kind of [
    'primary-rate-limit',
    'secondary-rate-limit',
    'reject-with-401',
    'reject-with-503',
    'accept-then-502',
  ]) {
    await github.fault({ on: 'dispatch', kind, status: 429 });
    await check(
      dispatch,
      `${build}/dispatches`,
      { 'reject-with-401': 401, 'reject-with-503': 503, 'accept-then-502': 502 }[kind] ?? 429,
      details,
    );
  }
  expect(seen.size).toBeGreaterThan(25);
});

test('every webhook has the shape that GitHub publishes and a signature that fits', async () => {
  const secret = 'shared';
  const receiver = await receive();
  const github = await simulate({ queued_for_ms: 5, running_for_ms: 5, webhook: { url: receiver.url, secret } });
  await github.dispatch('t');
  await eventually(() => expect(receiver.deliveries).toHaveLength(3));
  for (const { headers, body } of receiver.deliveries) {
    const event = JSON.parse(body) as { action: string };
    expect(headers['x-github-event']).toBe('workflow_run');
    expect(headers['x-hub-signature-256']).toBe(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
    expect(faultsOfEvent(`workflow-run-${event.action.replace('_', '-')}`, event), event.action).toEqual([]);
    expect(body).not.toContain('"inputs"');
  }
});
