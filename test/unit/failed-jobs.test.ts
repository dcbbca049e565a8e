import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/contracts/budgets.ts';
import {
  type Annotation,
  describeFailedJobs,
  jobsThatFailed,
  type ListedJob,
} from '../../src/domain/github/failed-jobs.ts';

const job = (name: string, conclusion: string | null, change: Partial<ListedJob> = {}): ListedJob => ({
  id: 1,
  name,
  status: 'completed',
  conclusion,
  url: `https://github.test/job/${name}`,
  steps: [
    { number: 1, name: 'Set up job', conclusion: 'success' },
    { number: 2, name: 'Build', conclusion },
    { number: 3, name: 'Push', conclusion: 'skipped' },
  ],
  ...change,
});
const annotation = (message: string, level = 'failure'): Annotation => ({ level, message, path: '.github', line: 1 });
const names = (jobs: { name: string }[]) => jobs.map(({ name }) => name);

describe('the jobs that say why a run ended badly', () => {
  it('are those that failed, and not those beside them that were cancelled or skipped', () => {
    const jobs = [job('a', 'success'), job('b', 'cancelled'), job('c', 'failure'), job('d', 'timed_out')];
    expect(names(jobsThatFailed([...jobs, job('e', 'skipped'), job('f', null)]))).toEqual(['c', 'd']);
  });

  it('are those that were cancelled where none failed', () => {
    expect(names(jobsThatFailed([job('a', 'success'), job('b', 'cancelled')]))).toEqual(['b']);
  });

  it('are described by their failed steps and annotations, failures first', () => {
    const annotations = [annotation('slow', 'notice'), annotation('old', 'warning'), annotation('exit code 1')];
    expect(describeFailedJobs([job('c', 'failure')], () => annotations)).toEqual([
      {
        name: 'c',
        conclusion: 'failure',
        url: 'https://github.test/job/c',
        steps: [{ number: 2, name: 'Build', conclusion: 'failure' }],
        annotations: [annotations[2], annotations[1], annotations[0]],
      },
    ]);
  });

  it('are cut to what the record holds: a name that is long, colours, NUL, half a character', () => {
    const long = `${'x'.repeat(LIMITS.failures.textCharacters)}y`;
    const [described] = describeFailedJobs([job(long, 'failure')], () => [
      annotation('\u001b[31mred\u001b[0m \u0000\ud800 two\nlines'),
    ]);
    expect(described!.name).toHaveLength(LIMITS.failures.textCharacters);
    expect(described!.annotations[0]!.message).toBe('red \ufffd two\nlines');
  });

  it('stay within their budget, whatever GitHub says', () => {
    const text = fc.string({ unit: 'binary', maxLength: 2_000 });
    const step = fc.record({ number: fc.nat(), name: text, conclusion: fc.constantFrom('failure', 'success', null) });
    const jobs = fc.array(
      fc.record({
        id: fc.nat(),
        name: text,
        status: fc.constant('completed'),
        conclusion: fc.constantFrom('failure', 'cancelled', null),
        url: fc.option(text),
        steps: fc.array(step, { maxLength: 30 }),
      }),
      { maxLength: 30 },
    );
    const annotations = fc.array(
      text.map((message) => annotation(message)),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(jobs, annotations, (listed, notes) => {
        const described = describeFailedJobs(jobsThatFailed(listed), () => notes);
        const written = JSON.stringify(described);
        expect(Buffer.byteLength(written)).toBeLessThanOrEqual(LIMITS.failures.recordBytes);
        expect(written).not.toMatch(/\\u0000|\\ud[89a-f]/);
        expect(described.length).toBeLessThanOrEqual(LIMITS.failures.jobs);
      }),
      { numRuns: 100, seed: 7 },
    );
  });
});
