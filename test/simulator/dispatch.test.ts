import { expect, test } from 'vitest';
import { eventually, failureOf, repository, simulate, workflow } from './harness.ts';

test('a dispatch makes a run that is found by its id, with the token in its title only', async () => {
  const github = await simulate();
  const id = await github.dispatch(
    'token-1',
    { image_type: 'iso', fedora_version: 42, clean: true },
    'refs/heads/main',
  );
  expect(id).toBeGreaterThan(2 ** 31);
  expect(await github.run(id)).toMatchObject({
    id,
    display_title: 'Build main [token-1]',
    head_branch: 'main',
    status: 'queued',
    conclusion: null,
    run_attempt: 1,
    event: 'workflow_dispatch',
    path: '.github/workflows/build.yml',
  });
  expect((await github.runs())[0]?.inputs).toEqual({
    hapax_id: 'token-1',
    image_type: 'iso',
    fedora_version: '42',
    clean: 'true',
  });
});

test('details come when asked for, and always in the newer version of the API', async () => {
  const github = await simulate();
  const dispatch = (extra: object) =>
    github.octokit.rest.actions.createWorkflowDispatch({ ...workflow, ref: 'main', ...extra });
  expect((await dispatch({})).status).toBe(204);
  const detailed = await dispatch({ headers: { 'x-github-api-version': '2026-03-10' } });
  expect(detailed.status).toBe(200);
  expect(Object.keys(detailed.data as object)).toEqual(['workflow_run_id', 'run_url', 'html_url']);
  const page = await fetch((detailed.data as unknown as { html_url: string }).html_url);
  expect(await page.text()).toContain('Build main');
});

test('a dispatch is not idempotent', async () => {
  const github = await simulate();
  const ids = await Promise.all([github.dispatch('same'), github.dispatch('same')]);
  expect(new Set(ids).size).toBe(2);
  expect(await github.oracle()).toMatchObject({ dispatch_requests: 2, runs: 2, runs_per_token: { same: 2 } });
});

test.for<[string, number, string, object, object?]>([
  ['a ref that does not exist', 422, 'No ref found for: missing-branch', { ref: 'missing-branch' }],
  ['a ref not among those that exist', 422, 'No ref found for: v2', { ref: 'v2' }, { refs: ['main', 'refs/tags/v1'] }],
  ['a commit for a ref', 422, 'No ref found for', { ref: 'a'.repeat(40) }],
  [
    'an undeclared token',
    422,
    'Unexpected inputs provided: ["hapax_id"]',
    { inputs: { hapax_id: 'x' } },
    { declares_correlation: false },
  ],
  [
    'an undeclared input',
    422,
    'Unexpected inputs provided: ["b"]',
    { inputs: { a: '', b: '' } },
    { declared_inputs: ['a'] },
  ],
  ['an input left out', 422, "Required input 'image_type' not provided", {}, { required_inputs: ['image_type'] }],
  [
    'a workflow without the trigger',
    422,
    "Workflow does not have 'workflow_dispatch' trigger",
    { workflow_id: 'no-dispatch.yml' },
  ],
  ['a disabled workflow', 422, 'disabled workflow', { workflow_id: 'disabled.yml' }],
  ['a workflow that does not exist', 404, 'Not Found', { workflow_id: 'missing.yml' }],
  ['a repository that does not exist', 404, 'Not Found', { repo: 'missing' }],
  [
    'too many inputs',
    422,
    'up to 25',
    { inputs: Object.fromEntries(Array.from({ length: 26 }, (_, i) => [`i${i}`, ''])) },
  ],
  ['too long inputs', 422, 'too large', { inputs: { a: 'x'.repeat(65_535) } }],
  ['an input that is an object', 422, 'is not a string', { inputs: { a: { b: 1 } } }],
  ['a field that does not exist', 422, '"refs" is not a permitted key', { refs: 'main' }],
  [
    'details of a GitHub that does not know them',
    400,
    '"return_run_details" is not a permitted key',
    { return_run_details: true },
    { knows_run_details: false },
  ],
  [
    'an unknown version of the API',
    400,
    'not a supported version',
    { headers: { 'x-github-api-version': '1999-01-01' } },
  ],
])('refuses %s', async ([_, status, message, change, settings]) => {
  const github = await simulate();
  await github.set(settings ?? {});
  const asked = { ...workflow, ref: 'main', ...change };
  const failure = await failureOf(github.octokit.rest.actions.createWorkflowDispatch(asked));
  expect(failure).toMatchObject({ status, message: expect.stringContaining(message) });
  expect(await github.oracle()).toMatchObject({ dispatch_requests: 1, runs: 0 });
});

test('a token is asked for only when the settings say so, and `bad` is never a good one', async () => {
  const github = await simulate();
  const path = `${github.url}/repos/acme/images/actions/runs`;
  const statusFor = async (headers: Record<string, string>) => (await fetch(path, { headers })).status;
  expect(await statusFor({})).toBe(200);
  await github.set({ require_token: true });
  expect(await statusFor({})).toBe(401);
  expect(await statusFor({ authorization: 'token bad' })).toBe(401);
  expect(await statusFor({ authorization: 'Bearer good' })).toBe(200);
  await github.dispatch('t');
});

test('25 inputs of 65,535 characters in all are accepted', async () => {
  const github = await simulate();
  const names = Array.from({ length: 24 }, (_, i) => `i${i}`);
  const inputs = { hapax_id: 't', ...Object.fromEntries(names.map((name) => [name, ''])) };
  const room = 65_535 - JSON.stringify(inputs).length;
  await github.dispatch('t', { ...Object.fromEntries(names.map((name) => [name, ''])), i0: 'x'.repeat(room) });
});

test('the settings decide whether the token is echoed', async () => {
  const github = await simulate();
  await github.set({ echoes_correlation: false });
  expect((await github.run(await github.dispatch('hidden'))).display_title).toBe('Build main');
  expect((await github.oracle()).runs_per_token).toEqual({ hidden: 1 });
});

test('a build asks for its own end through the input simulate', async () => {
  const github = await simulate({ queued_for_ms: 1, running_for_ms: 1 });
  const id = await github.dispatch('t', { simulate: 'timed_out' });
  await eventually(async () =>
    expect(await github.run(id)).toMatchObject({ status: 'completed', conclusion: 'timed_out' }),
  );
  expect(await failureOf(github.dispatch('lost', { simulate: 'lost_answer' }))).toMatchObject({ status: 502 });
  expect((await github.oracle()).runs_per_token).toEqual({ t: 1, lost: 1 });
});

test('cancelling is asynchronous, and refused once a run has completed', async () => {
  const github = await simulate();
  await github.set({ cancel_takes_ms: 3_600_000 });
  const run_id = await github.dispatch('t');
  const { status } = await github.octokit.rest.actions.cancelWorkflowRun({ ...repository, run_id });
  expect([status, (await github.run(run_id)).status]).toEqual([202, 'queued']);
  await github.octokit.rest.actions.forceCancelWorkflowRun({ ...repository, run_id });
  await eventually(async () =>
    expect(await github.run(run_id)).toMatchObject({ status: 'completed', conclusion: 'cancelled' }),
  );
  const again = await failureOf(github.octokit.rest.actions.cancelWorkflowRun({ ...repository, run_id }));
  expect(again).toMatchObject({ status: 409 });
});

test('a re-run keeps the id, raises the attempt and leaves completed', async () => {
  const github = await simulate();
  const run_id = await github.dispatch('t');
  expect(await failureOf(github.octokit.rest.actions.reRunWorkflow({ ...repository, run_id }))).toMatchObject({
    status: 403,
  });
  await github.force(run_id, 'completed', 'failure');
  await github.octokit.rest.actions.reRunWorkflowFailedJobs({ ...repository, run_id });
  expect(await github.run(run_id)).toMatchObject({ status: 'queued', conclusion: null, run_attempt: 2 });
  expect((await github.runs())[0]?.history.map((moment) => [moment.run_attempt, moment.status])).toEqual([
    [1, 'queued'],
    [1, 'completed'],
    [2, 'queued'],
  ]);
});

test('where the workflow says so, a run cancels the earlier one of its ref, and no other', async () => {
  const github = await simulate();
  await github.set({ concurrency: 'cancel-in-progress' });
  const first = await github.dispatch('first');
  const elsewhere = await github.dispatch('elsewhere', {}, 'release');
  const second = await github.dispatch('second');
  expect(await github.run(first)).toMatchObject({ status: 'completed', conclusion: 'cancelled' });
  expect((await github.run(elsewhere)).status).toBe('queued');
  expect((await github.run(second)).status).toBe('queued');
});
