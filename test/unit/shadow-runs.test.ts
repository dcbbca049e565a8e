import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ListedRun } from '../../src/contracts/github/github.ts';
import { compareRuns, type ShadowBuild, shadowOf, type TakenRun } from '../../src/domain/builds/shadow-runs.ts';

const BEGIN = Date.parse('2026-11-21T10:00:00.000Z');
const at = (seconds: number) => new Date(BEGIN + seconds * 1_000).toISOString();

function run(run_id: number, seconds: number, change: Partial<ListedRun> = {}): ListedRun {
  return {
    ...{ run_id, run_url: `u${run_id}`, status: 'queued', conclusion: null, run_attempt: 1, request_id: null },
    ...{ title: 'Build main', event: 'workflow_dispatch', head_branch: 'main', workflow_id: 42 },
    ...{ path: '.github/workflows/build.yml', created_at: at(seconds) },
    ...change,
  };
}

function build(id: number, seconds: number, inputs: Record<string, string> = {}): ShadowBuild {
  return {
    ...{ id, created_at: at(seconds), until: at(seconds + 300), run_id: null, waits: true },
    request: { workflow: 'build.yml', ref: 'main', inputs },
  };
}

const taken = (run_id: number, build_id: number): TakenRun => ({
  ...{ run_id, run_url: `u${run_id}`, run_created_at: at(run_id), build_id, doubled: false },
});

function compare(builds: ShadowBuild[], runs: ListedRun[], kept: TakenRun[] = []) {
  const { found, doubled, unheard } = compareRuns(builds, runs, kept, 'build.yml');
  return {
    found: [...found].map(([id, { run_id }]) => [id, run_id]),
    doubled: [...doubled].map(([id, runs]) => [id, runs.map(({ run_id }) => run_id)]),
    unheard: unheard.map(({ run_id }) => run_id),
  };
}

describe('telling which run another program started for which build', () => {
  it('gives the oldest run to the oldest build, and counts what is left as doubled', () => {
    const builds = [build(2, 20), build(1, 10)];
    expect(compare(builds, [run(13, 30), run(12, 22), run(11, 12)])).toEqual({
      found: [
        [1, 11],
        [2, 12],
      ],
      doubled: [[2, [13]]],
      unheard: [],
    });
  });

  it('lets the inputs that titles show decide, whatever came first', () => {
    const builds = [
      build(1, 0, { variant: 'silverblue', version: '43' }),
      build(2, 1, { variant: 'sway', version: '4' }),
    ];
    const runs = [
      run(10, 2, { title: 'sway 4' }),
      run(11, 3, { title: 'silverblue 43' }),
      run(12, 4, { title: 'sway 4' }),
    ];
    expect(compare(builds, runs)).toEqual({
      found: [
        [2, 10],
        [1, 11],
      ],
      doubled: [[2, [12]]],
      unheard: [],
    });
  });

  it('takes a run that was made up to a minute before the trigger, and none that is older or later than the window', () => {
    expect(compare([build(1, 100)], [run(10, 40)]).found).toEqual([[1, 10]]);
    for (const seconds of [39, 401])
      expect(compare([build(1, 100)], [run(10, seconds)])).toMatchObject({ found: [], unheard: [10] });
  });

  it('leaves out runs of other workflows, refs and events, runs of Hapax, and those that are taken', () => {
    const others = [
      run(1, 1, { path: '.github/workflows/other.yml' }),
      run(2, 1, { event: 'push' }),
      run(3, 1, { title: 'Build main [hapax-7-1-0123456789ab]' }),
    ];
    expect(compare([build(1, 0)], others)).toEqual({ found: [], doubled: [], unheard: [] });
    expect(compare([build(1, 0)], [run(4, 1, { head_branch: 'f43' })])).toMatchObject({ found: [], unheard: [4] });
    expect(compare([build(2, 0)], [run(5, 1)], [taken(5, 1)])).toMatchObject({ found: [], unheard: [] });
    expect(compare([build(1, 0)], [run(5, 1), run(6, 2)], [taken(5, 1)])).toMatchObject({
      found: [],
      doubled: [[1, [6]]],
    });
  });

  it('counts a run after a failed build as another request, since an equal trigger would be another build', () => {
    const known = { request: { repository: 'o/r', workflow: 'build.yml', ref: 'main', inputs: {} }, created_at: at(0) };
    const ended = { ...known, id: 1, dedup_until: at(300), completed_at: at(60), workflow_run_id: 9 };
    expect(compare([shadowOf({ ...ended, status: 'failure' })], [run(10, 61)]).unheard).toEqual([10]);
    expect(compare([shadowOf({ ...ended, status: 'success' })], [run(10, 61)]).doubled).toEqual([[1, [10]]]);
  });

  it('gives every run to one place, and every build one run at most', () => {
    const seconds = fc.integer({ min: 0, max: 900 });
    const title = fc.constantFrom('Build main', 'a', 'b 1', 'a b');
    const builds = fc.array(fc.tuple(seconds, fc.constantFrom({}, { x: 'a' }, { x: 'b' }), fc.boolean()), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(builds, fc.array(fc.tuple(seconds, title), { maxLength: 12 }), (made, listed) => {
        const runs = listed.map(([when, text], n) => run(n + 1, when, { title: text }));
        const given = made.map(([when, inputs, waits], n) => ({
          ...build(n + 1, when, inputs as Record<string, string>),
          waits,
        }));
        const { found, doubled, unheard } = compare(given, runs);
        const places = [...found.map(([, id]) => id), ...doubled.flatMap(([, ids]) => ids), ...unheard];
        expect(places.toSorted()).toEqual(runs.map(({ run_id }) => run_id).toSorted());
        for (const [id] of found) expect(given.find((one) => one.id === id)?.waits).toBe(true);
      }),
    );
  });
});
