import { describe, expect, it } from 'vitest';
import type { ListedRun } from '../../src/contracts/github/github.ts';
import { findRuns } from '../../src/domain/github/find-runs.ts';

const TOKEN = 'hapax-7-1-0123456789ab';
const SINCE = '2026-11-21T09:50:00.000Z';

function listed(run_id: number, change: Partial<ListedRun> = {}): ListedRun {
  return {
    run_id,
    run_url: `u${run_id}`,
    status: 'queued',
    conclusion: null,
    run_attempt: 1,
    request_id: null,
    title: `Build main [${TOKEN}]`,
    event: 'workflow_dispatch',
    head_branch: 'main',
    path: '.github/workflows/build.yml',
    workflow_id: 42,
    created_at: `2026-11-21T10:00:${String(run_id).padStart(2, '0')}.000Z`,
    ...change,
  };
}
const stranger = (run_id: number, change: Partial<ListedRun> = {}) =>
  listed(run_id, { title: 'Build by hand', ...change });
const find = (runs: ListedRun[], tokens = [TOKEN], complete = true, workflow = 'build.yml') =>
  findRuns({ runs, complete }, { workflow, ref: 'refs/heads/main', tokens, since: SINCE });

describe('looking for the runs of a build', () => {
  it('finds them by token, the oldest first', () => {
    expect(find([stranger(4), listed(3), listed(1), listed(2)])).toEqual({
      kind: 'found',
      runs: [1, 2, 3].map((run_id) => ({ run_id, run_url: `u${run_id}` })),
    });
  });

  it('counts a run once that a newer one pushed to the next page while they were read', () => {
    expect(find([stranger(4), listed(3), listed(3), stranger(2)])).toEqual({
      kind: 'found',
      runs: [{ run_id: 3, run_url: 'u3' }],
    });
  });

  it('never takes the run of another build, workflow or event', () => {
    const others = [
      listed(1, { title: 'Build [hapax-7-2-0123456789ac]' }),
      listed(2, { path: '.github/workflows/other.yml' }),
      listed(3, { event: 'push' }),
    ];
    expect(find(others)).toEqual({ kind: 'absent' });
  });

  it('takes no run from before a retry for one of the retry whose token is forgotten', () => {
    const sought = { workflow: 'build.yml', ref: 'refs/heads/main', tokens: ['hapax-7-'], since: SINCE };
    const retried = listed(2, { title: 'Build main [hapax-7-1-0123456789ac]' });
    const runs = [retried, listed(1)];
    expect(findRuns({ runs, complete: true }, { ...sought, after_run: 1 })).toEqual({
      kind: 'found',
      runs: [{ run_id: 2, run_url: 'u2' }],
    });
    expect(findRuns({ runs: [listed(1)], complete: true }, { ...sought, after_run: 1 })).toEqual({ kind: 'absent' });
  });

  it('takes no run of an earlier installation, whose builds had the same numbers, for one whose token is forgotten', () => {
    const created_at = '2026-10-21T10:00:00.000Z';
    expect(find([listed(1, { created_at })], ['hapax-7-'])).toEqual({ kind: 'absent' });
    expect(find([listed(2), listed(1, { created_at })], ['hapax-7-'])).toEqual({
      kind: 'found',
      runs: [{ run_id: 2, run_url: 'u2' }],
    });
    // No other build has a whole token, so its run counts even if a clock was wrong.
    expect(find([listed(1, { created_at })], ['hapax-7-', TOKEN])).toMatchObject({ kind: 'found' });
  });

  it('believes an absence where no run could be ours', () => {
    expect(find([])).toEqual({ kind: 'absent' });
    expect(
      find([stranger(1, { created_at: '2026-11-21T09:00:00.000Z' }), stranger(2, { head_branch: 'dev' })]),
    ).toEqual({ kind: 'absent' });
  });

  it('does not believe it where a run without a token could be ours', () => {
    expect(find([stranger(1), listed(2, { title: 'Build [hapax-6-1-aaaaaaaaaaaa]' })])).toMatchObject({
      kind: 'doubtful',
      candidates: [{ run_id: 1 }],
    });
    expect(find([stranger(1, { head_branch: null })])).toMatchObject({ kind: 'doubtful' });
  });

  it('does not believe it where not all runs were read', () => {
    expect(find([], [TOKEN], false)).toEqual({ kind: 'doubtful', candidates: [] });
    expect(find([listed(1)], [TOKEN], false)).toMatchObject({ kind: 'found' });
  });

  it('without a token can only name candidates', () => {
    expect(find([stranger(1), listed(2, { title: 'x hapax-6-1-aaaaaaaaaaaa' })], [])).toMatchObject({
      kind: 'doubtful',
      candidates: [{ run_id: 1 }],
    });
  });

  it('knows the workflow also where GitHub appends the ref to its path', () => {
    expect(find([listed(1, { path: '.github/workflows/build.yml@main' })])).toMatchObject({ kind: 'found' });
    const path = '.github/workflows/my build [v2]@home.yml@main';
    expect(find([listed(1, { path })], [TOKEN], true, 'my build [v2]@home.yml')).toMatchObject({ kind: 'found' });
  });

  it('knows a workflow that is named by its number', () => {
    expect(find([listed(1)], [TOKEN], true, '42')).toMatchObject({ kind: 'found' });
    expect(find([listed(1)], [TOKEN], true, '4')).toEqual({ kind: 'absent' });
  });
});
