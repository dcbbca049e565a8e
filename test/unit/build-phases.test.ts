import { describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../src/contracts/builds/event.ts';
import { phasesOf, timeIn } from '../../src/domain/builds/build-phases.ts';
import { candidateRuns, candidatesInWords } from '../../src/domain/builds/candidate-runs.ts';

const START = Date.parse('2026-11-29T10:00:00.000Z');

/** Events at seconds after the start. */
const events = (...told: Array<[second: number, type: string, data?: object]>) =>
  told.map(([second, type, data = {}]) => ({
    type,
    data,
    occurred_at: new Date(START + second * 1_000).toISOString(),
  })) as unknown as RecordedEvent[];

const told = (...given: Parameters<typeof events>) =>
  phasesOf(events(...given), START + 100_000).map(({ kind, what, from, to }) => [
    kind,
    what,
    (from - START) / 1_000,
    (to - START) / 1_000,
  ]);

describe('the phases of a build', () => {
  it('tell waiting from running, and end with the build', () => {
    expect(
      told(
        [0, 'build_queued'],
        [2, 'build_started'],
        [3, 'dispatch_intended'],
        [4, 'workflow_triggered'],
        [5, 'run_updated', { run_status: 'queued' }],
        [9, 'run_updated', { run_status: 'in_progress' }],
        [30, 'build_completed'],
        [31, 'callback_delivered'],
      ),
    ).toEqual([
      ['waiting', 'queued in Hapax', 0, 2],
      ['waiting', 'dispatching', 2, 4],
      ['waiting', 'queued at GitHub', 4, 9],
      ['running', 'runs at GitHub', 9, 30],
    ]);
  });

  it('go on until now while the build does, and leave out what lies between an end and a retry', () => {
    const phases = told(
      [0, 'build_queued'],
      [1, 'build_completed'],
      [50, 'build_retried'],
      [60, 'dispatch_ambiguous'],
      [70, 'build_needs_attention'],
    );
    expect(phases).toEqual([
      ['waiting', 'queued in Hapax', 0, 1],
      ['waiting', 'queued in Hapax', 50, 60],
      ['waiting', 'looks for its run', 60, 70],
      ['person', 'waits for a person', 70, 100],
    ]);
  });

  it('never run backwards where the clocks of two processes differ', () => {
    const phases = phasesOf(events([5, 'build_queued'], [4, 'build_started'], [3, 'workflow_triggered']), START);
    for (const { from, to } of phases) expect(to).toBeGreaterThanOrEqual(from);
    expect(timeIn(phases, 'running')).toBe(0);
  });
});

describe('the runs that a question names', () => {
  it('are found in its words, each once and in order', () => {
    const reason =
      'GitHub accepted it; it could be https://github.com/a/b/actions/runs/12 https://ghe.test/a/b/actions/runs/7 https://github.com/a/b/actions/runs/12; adopt its run';
    expect(candidateRuns(reason)).toEqual([
      { run_id: 12, run_url: 'https://github.com/a/b/actions/runs/12' },
      { run_id: 7, run_url: 'https://ghe.test/a/b/actions/runs/7' },
    ]);
    expect(candidateRuns(null)).toEqual([]);
    const onForgejo = [{ run_id: 345, run_url: 'https://codeberg.org/a/b/actions/runs/12' }];
    expect(candidatesInWords(onForgejo)).toBe('https://codeberg.org/a/b/actions/runs/12#id=345');
    expect(candidateRuns(`it could be ${candidatesInWords(onForgejo)}; adopt its run`)).toEqual(onForgejo);
    expect(candidateRuns('javascript:alert(1)/actions/runs/1')).toEqual([]);
  });
});
