import { expect, test } from 'vitest';
import { repository, simulate, workflow } from './harness.ts';

type Github = Awaited<ReturnType<typeof simulate>>;

const stranger = (github: Github, body: object) =>
  github.control<{ runs: { id: number }[] }>('POST', '/runs', {
    repository: 'acme/images',
    display_title: 'x',
    ...body,
  });

const titles = async (github: Github, filter: object = {}) => {
  const { data } = await github.octokit.rest.actions.listWorkflowRunsForRepo({ ...repository, ...filter });
  return data.workflow_runs.map((run) => run.display_title);
};

test('every page is reached by the links, newest first', async () => {
  const github = await simulate();
  await stranger(github, { count: 205 });
  const first = await github.octokit.rest.actions.listWorkflowRunsForRepo({ ...repository, per_page: 100 });
  expect(first.data.total_count).toBe(205);
  expect(first.headers.link).toMatch(/page=2>; rel="next", .*page=3>; rel="last"/);
  const all = await github.octokit.paginate(github.octokit.rest.actions.listWorkflowRunsForRepo, {
    ...repository,
    per_page: 100,
  });
  expect(all.map((run) => run.id)).toEqual([...new Set(all.map((run) => run.id))].sort((a, b) => b - a));
  expect(all).toHaveLength(205);
  expect((await github.oracle()).requests.list).toBe(4);
  const beyond = await github.octokit.rest.actions.listWorkflowRunsForRepo({ ...repository, per_page: 100, page: 9 });
  expect(beyond.data.workflow_runs).toEqual([]);
});

test('a search reaches 1,000 runs and no more', async () => {
  const github = await simulate();
  await stranger(github, { count: 1_050 });
  const list = github.octokit.rest.actions.listWorkflowRunsForRepo;
  expect(await github.octokit.paginate(list, { ...repository, per_page: 100, branch: 'main' })).toHaveLength(1_000);
});

test('the filters are those of GitHub', async () => {
  const github = await simulate();
  await stranger(github, {
    display_title: 'old',
    created_at: '2026-01-31T23:59:59.900Z',
    event: 'push',
    actor: 'mona',
  });
  await stranger(github, {
    display_title: 'new',
    created_at: '2026-02-01T12:00:00Z',
    ref: 'release',
    workflow: 'other.yml',
  });
  await stranger(github, { display_title: 'elsewhere', repository: 'acme/other' });
  expect(await titles(github)).toEqual(['new', 'old']);
  expect(await titles(github, { branch: 'release' })).toEqual(['new']);
  expect(await titles(github, { event: 'push' })).toEqual(['old']);
  expect(await titles(github, { actor: 'mona' })).toEqual(['old']);
  expect(await titles(github, { status: 'queued' })).toEqual([]);
  for (const [created, expected] of [
    ['2026-01-31', ['old']],
    ['>=2026-01-31T23:59:59Z', ['new', 'old']],
    ['>2026-01-31', ['new']],
    ['<2026-02-01', ['old']],
    ['<=2026-02-01', ['new', 'old']],
    ['*..2026-01-31', ['old']],
    ['2026-02-01..2026-02-02', ['new']],
    ['2026-02-01..*', ['new']],
  ] as const) {
    expect(await titles(github, { created }), created).toEqual(expected);
  }
  const { data } = await github.octokit.rest.actions.listWorkflowRunsForRepo({ ...repository, branch: 'release' });
  const head_sha = data.workflow_runs[0]?.head_sha ?? '';
  expect(await titles(github, { head_sha })).toEqual(['new']);
});

test('the runs of a workflow are found by its file name and by its number', async () => {
  const github = await simulate();
  await stranger(github, { workflow: 'other.yml' });
  const id = await github.dispatch('t');
  const list = github.octokit.rest.actions.listWorkflowRuns;
  const { workflow_id } = await github.run(id);
  for (const named of [workflow, { ...repository, workflow_id }]) {
    expect((await list(named)).data.workflow_runs.map((run) => run.id)).toEqual([id]);
  }
});

test('status filters take a status or a conclusion', async () => {
  const github = await simulate();
  await github.dispatch('waits');
  await github.force(await github.dispatch('fails'), 'completed', 'failure');
  expect(await titles(github, { status: 'queued' })).toEqual(['Build main [waits]']);
  expect(await titles(github, { status: 'completed' })).toEqual(['Build main [fails]']);
  expect(await titles(github, { status: 'failure' })).toEqual(['Build main [fails]']);
});

test('an unchanged answer is a 304 that costs nothing, and a change ends it', async () => {
  const github = await simulate();
  const id = await github.dispatch('t');
  for (const path of ['/repos/acme/images/actions/runs', `/repos/acme/images/actions/runs/${id}`]) {
    const first = await fetch(github.url + path);
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^W\/".+"$/);
    const second = await fetch(github.url + path, { headers: { 'if-none-match': etag } });
    expect([second.status, await second.text()]).toEqual([304, '']);
    expect(second.headers.get('x-ratelimit-remaining')).toBe(first.headers.get('x-ratelimit-remaining'));
    await github.force(id, 'in_progress');
    expect((await fetch(github.url + path, { headers: { 'if-none-match': etag } })).status).toBe(200);
    await github.force(id, 'queued');
  }
  expect((await github.oracle()).not_modified).toBe(2);
});

test('listings can lag, omit and be stale, while a run itself tells the truth', async () => {
  const github = await simulate();
  await stranger(github, { display_title: 'old', created_at: '2026-02-01T12:00:00Z' });
  const id = await github.dispatch('new');
  const both = ['Build main [new]', 'old'];
  await github.fault({ on: 'list', kind: 'lag' }, { on: 'list', kind: 'omit' }, { on: 'list', kind: 'omit', count: 1 });
  expect(await titles(github)).toEqual(['old']);
  expect(await titles(github)).toEqual([]);
  expect(await titles(github)).toEqual(['old']);
  expect(await titles(github)).toEqual(both);
  await github.fault({ on: 'list', kind: 'stale', times: null });
  expect([await titles(github), await titles(github)]).toEqual([['old'], ['old']]);
  expect((await github.run(id)).status).toBe('queued');
  await github.control('DELETE', '/faults');
  expect(await titles(github)).toEqual(both);
  await github.set({ listing_lag_ms: 60_000 });
  expect(await titles(github)).toEqual(['old']);
  await github.set({ listing_lag_ms: 0, filtered_listings: 'empty' });
  expect([await titles(github), await titles(github, { event: 'workflow_dispatch' })]).toEqual([both, []]);
});
