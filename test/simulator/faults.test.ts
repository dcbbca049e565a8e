import { expect, test } from 'vitest';
import { failureOf, repository, simulate, workflow } from './harness.ts';

const causeOf = (failure: unknown): string | undefined =>
  (failure as { cause?: { cause?: { code?: string } } }).cause?.cause?.code;

test.for([500, 502, 503, 504])('accept-then-%i: the run exists, the answer says otherwise', async (status) => {
  const github = await simulate();
  await github.fault({ on: 'dispatch', kind: `accept-then-${status}` });
  expect(await failureOf(github.dispatch('t'))).toMatchObject({ status });
  expect((await github.oracle()).runs_per_token).toEqual({ t: 1 });
  await github.dispatch('u');
  expect((await github.oracle()).runs_per_token).toEqual({ t: 1, u: 1 });
});

test('accept-then-reset: the run exists, the connection breaks', async () => {
  const github = await simulate();
  await github.fault({ on: 'dispatch', kind: 'accept-then-reset' });
  const failure = await failureOf(github.dispatch('t'));
  expect(failure).toMatchObject({ status: 500, response: undefined });
  expect(['ECONNRESET', 'UND_ERR_SOCKET']).toContain(causeOf(failure));
  expect((await github.oracle()).runs_per_token).toEqual({ t: 1 });
});

test('reset: the connection breaks and nothing was done', async () => {
  const github = await simulate();
  await github.fault({ on: 'dispatch', kind: 'reset' });
  expect(['ECONNRESET', 'UND_ERR_SOCKET']).toContain(causeOf(await failureOf(github.dispatch('t'))));
  expect(await github.oracle()).toMatchObject({ dispatch_requests: 1, runs: 0 });
});

test.for([
  ['accept-then-hang', 1],
  ['hang', 0],
] as const)('%s: no answer ever comes, until the simulator is closed', async ([kind, runs]) => {
  const github = await simulate();
  await github.fault({ on: 'dispatch', kind });
  const hanging = failureOf(github.dispatch('t'));
  await expect.poll(github.oracle, { interval: 5 }).toMatchObject({ dispatch_requests: 1, runs });
  await github.close();
  expect(await hanging).toMatchObject({ status: 500 });
});

test.for([400, 401, 403, 404, 409, 422, 500, 502, 503, 504])('reject-with-%i: nothing was done', async (status) => {
  const github = await simulate();
  await github.fault({ on: 'dispatch', kind: `reject-with-${status}`, message: 'as told' });
  const failure = await failureOf(github.dispatch('t'));
  expect(failure).toMatchObject({ status, message: expect.stringContaining('as told') });
  expect(failure.response?.headers['retry-after']).toBeUndefined();
  expect((await github.oracle()).runs).toBe(0);
});

test('answers to a dispatch that was carried out can be garbled, lack the id, or be a 204', async () => {
  const github = await simulate();
  await github.fault(
    { on: 'dispatch', kind: 'malformed-200' },
    { on: 'dispatch', kind: '200-without-id' },
    { on: 'dispatch', kind: '204-when-asked-for-details' },
  );
  const dispatch = (token: string) =>
    github.octokit.rest.actions.createWorkflowDispatch({
      ...workflow,
      ref: 'main',
      inputs: { hapax_id: token },
      ...({ return_run_details: true } as object),
    });
  const garbled = await dispatch('a').catch((error: { status: number }) => error);
  expect(garbled.status).toBe(200);
  expect(await dispatch('b')).toMatchObject({ status: 200, data: {} });
  expect((await dispatch('c')).status).toBe(204);
  expect((await github.oracle()).runs_per_token).toEqual({ a: 1, b: 1, c: 1 });
});

test('400-on-unknown-field: nothing was done, and the field is named', async () => {
  const github = await simulate();
  await github.fault({ on: 'dispatch', kind: '400-on-unknown-field' });
  const failure = await failureOf(github.dispatch('t'));
  expect(failure).toMatchObject({ status: 400, message: expect.stringContaining('return_run_details') });
  expect((await github.oracle()).runs).toBe(0);
});

test.for([403, 429])('rate limits answer %i with the headers that tell them apart', async (status) => {
  const github = await simulate();
  await github.fault(
    { on: 'dispatch', kind: 'primary-rate-limit', status, reset_in_s: 90 },
    { on: 'dispatch', kind: 'secondary-rate-limit', status, retry_after_s: 7 },
    { on: 'dispatch', kind: 'secondary-rate-limit', status },
  );
  const primary = await failureOf(github.dispatch('t'));
  expect(primary).toMatchObject({ status, response: { headers: { 'x-ratelimit-remaining': '0' } } });
  const resetInS = Number(primary.response?.headers['x-ratelimit-reset']) - Date.now() / 1_000;
  expect(resetInS).toBeGreaterThan(85);
  expect(resetInS).toBeLessThan(92);
  const secondary = await failureOf(github.dispatch('t'));
  expect(secondary).toMatchObject({ status, response: { headers: { 'retry-after': '7' } } });
  const silent = await failureOf(github.dispatch('t'));
  expect(silent).toMatchObject({ status, message: expect.stringContaining('secondary rate limit') });
  expect(silent.response?.headers['retry-after']).toBeUndefined();
  expect((await github.oracle()).runs).toBe(0);
});

test('the budget of an hour runs out by itself', async () => {
  const github = await simulate();
  await github.set({ rate_limit: 2 });
  await github.dispatch('a');
  await github.dispatch('b');
  const failure = await failureOf(github.dispatch('c'));
  expect(failure).toMatchObject({ status: 403, response: { headers: { 'x-ratelimit-remaining': '0' } } });
  expect((await github.octokit.rest.rateLimit.get()).data.rate).toMatchObject({ limit: 2, remaining: 0 });
});

test('faults strike in order, as often as told, and only what they are aimed at', async () => {
  const github = await simulate();
  const id = await github.dispatch('t');
  await github.fault(
    { on: 'get', kind: 'reject-with-503', times: 2 },
    { on: 'get', kind: 'reject-with-404', match: String(id) },
    { on: 'dispatch', kind: 'reject-with-500', match: 'unlucky' },
  );
  const statusOf = async () => (await fetch(`${github.url}/repos/acme/images/actions/runs/${id}`)).status;
  expect([await statusOf(), await statusOf(), await statusOf(), await statusOf()]).toEqual([503, 503, 404, 200]);
  await github.dispatch('lucky');
  expect(await failureOf(github.dispatch('unlucky'))).toMatchObject({ status: 500 });
  expect(await github.control('GET', '/faults')).toEqual({ pending: [] });
});

test('a fault that could never strike is refused', async () => {
  const github = await simulate();
  await expect(github.fault({ on: 'get', kind: 'lag' })).rejects.toThrow('400');
  await expect(github.fault({ on: 'dispatch', kind: 'explode' })).rejects.toThrow('400');
  await expect(github.set({ colour: 'red' })).rejects.toThrow('400');
});

test('while it is down every connection breaks, and the controls still work', async () => {
  const github = await simulate();
  await github.set({ down: true });
  expect(await failureOf(github.dispatch('t'))).toMatchObject({ status: 500, response: undefined });
  expect((await github.oracle()).dispatch_requests).toBe(0);
  await github.set({ down: false });
  await github.dispatch('t');
});

test('a deleted run is a 404 that the oracle still counts', async () => {
  const github = await simulate();
  const run_id = await github.dispatch('t');
  await github.control('POST', `/runs/${run_id}`, { action: 'delete' });
  expect(await failureOf(github.octokit.rest.actions.getWorkflowRun({ ...repository, run_id }))).toMatchObject({
    status: 404,
  });
  expect((await github.oracle()).runs_per_token).toEqual({ t: 1 });
  expect((await github.runs())[0]).toMatchObject({ id: run_id, deleted: true });
});

test("a stranger's run with the same title is no run of the token", async () => {
  const github = await simulate();
  await github.control('POST', '/runs', { repository: 'acme/images', display_title: 'Build main [t]' });
  expect(await github.oracle()).toMatchObject({ runs: 1, runs_per_token: {}, dispatch_requests: 0 });
});

test('the controls run every action on a run', async () => {
  const github = await simulate();
  await github.set({ cancel_takes_ms: 0 });
  const id = await github.dispatch('t');
  const act = (action: string) => github.control('POST', `/runs/${id}`, { action });
  expect(await act('cancel')).toMatchObject({ status: 'completed', conclusion: 'cancelled' });
  expect(await act('rerun')).toMatchObject({ status: 'queued', run_attempt: 2 });
  expect(await act('force_cancel')).toMatchObject({ status: 'completed', run_attempt: 2 });
  expect(await act('delete')).toMatchObject({ deleted: true, status: 'completed' });
  expect(await github.control('GET', `/runs/${id}`)).toMatchObject({ id, deleted: true });
});
