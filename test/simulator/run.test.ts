import { expect, test } from 'vitest';
import { applyFact, planFor, type Run, type RunFact, runAt, timeline } from '../../src/simulator/run.ts';

const plan = { queuedForMs: 10, runningForMs: 20, conclusion: 'success' };

function runOf(...facts: RunFact[]): Run {
  const created: RunFact = {
    fact: 'created',
    at: 1_000,
    plan,
    run: {
      id: 1,
      repository: 'acme/images',
      workflow: 'build.yml',
      ref: 'main',
      displayTitle: 'Build main',
      event: 'workflow_dispatch',
      actor: 'octocat',
      runNumber: 1,
      inputs: {},
      token: null,
    },
  };
  return [created, ...facts].reduce<Run | undefined>(applyFact, undefined)!;
}

const statusAt = (run: Run, now: number) => {
  const state = runAt(run, now);
  return state && [state.attempt, state.status, state.conclusion];
};

test('a run goes from queued to in_progress to completed, by the clock alone', () => {
  const run = runOf();
  expect(statusAt(run, 999)).toBeUndefined();
  expect(statusAt(run, 1_000)).toEqual([1, 'queued', null]);
  expect(statusAt(run, 1_010)).toEqual([1, 'in_progress', null]);
  expect(statusAt(run, 1_029)).toEqual([1, 'in_progress', null]);
  expect(statusAt(run, 1_030)).toEqual([1, 'completed', 'success']);
});

test('a cancellation shows when it takes effect, and comes too late for a run that completes before', () => {
  const cancelled = runOf({ fact: 'cancelled', id: 1, at: 1_012, effectiveAt: 1_015 });
  expect(statusAt(cancelled, 1_014)).toEqual([1, 'in_progress', null]);
  expect(statusAt(cancelled, 9_999)).toEqual([1, 'completed', 'cancelled']);
  const late = runOf({ fact: 'cancelled', id: 1, at: 1_029, effectiveAt: 1_040 });
  expect(statusAt(late, 9_999)).toEqual([1, 'completed', 'success']);
});

test('a re-run raises the attempt and leaves completed', () => {
  const run = runOf({ fact: 'rerun', id: 1, at: 2_000, plan: { ...plan, conclusion: 'failure' } });
  expect(statusAt(run, 1_999)).toEqual([1, 'completed', 'success']);
  expect(statusAt(run, 2_000)).toEqual([2, 'queued', null]);
  expect(statusAt(run, 2_030)).toEqual([2, 'completed', 'failure']);
  expect(timeline(run)).toHaveLength(6);
});

test('a forced state replaces the plan', () => {
  const run = runOf({ fact: 'forced', id: 1, at: 1_005, status: 'waiting', conclusion: null });
  expect(statusAt(run, 9_999)).toEqual([1, 'waiting', null]);
});

test('a deleted run is gone, but what it was before is not', () => {
  const run = runOf({ fact: 'deleted', id: 1, at: 3_000 });
  expect(statusAt(run, 2_999)).toEqual([1, 'completed', 'success']);
  expect(statusAt(run, 3_000)).toBeUndefined();
});

test('the input simulate changes the plan', () => {
  expect(planFor(plan, undefined, 1)).toEqual(plan);
  expect(planFor(plan, 'timed_out', 1).conclusion).toBe('timed_out');
  expect(planFor(plan, 'slow', 1).runningForMs).toBe(200);
  expect(planFor(plan, 'stuck', 1).runningForMs).toBeNull();
  expect(planFor(plan, 'queued', 1).queuedForMs).toBeNull();
  expect([1, 2].map((attempt) => planFor(plan, 'flaky', attempt).conclusion)).toEqual(['failure', 'success']);
});
