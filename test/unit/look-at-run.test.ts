import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { githubActivities } from '../../src/activities/github.ts';
import type { RunView } from '../../src/contracts/github/github.ts';
import type { Dialect } from '../../src/integrations/forges/dialects/dialect.ts';
import type { Forge } from '../../src/integrations/forges/forge.ts';
import { Runs } from '../../src/integrations/forges/runs/runs.ts';
import type { Db } from '../../src/store/database.ts';

const request = {
  repository: 'acme/images',
  run_id: 7,
  seen: { status: 'queued', run_attempt: 1 },
  interval_ms: 30_000,
};

/** What is left of five looks that found no run, after one more that found this. */
async function missedAfter(asked: boolean): Promise<unknown> {
  const github = { runs: { changed: async () => ({ lookAgainMs: 1_000, asked }) } } as unknown as Forge;
  const activity = new MockActivityEnvironment({ heartbeatDetails: 5 });
  let missed: unknown = 5;
  activity.on('heartbeat', (details: unknown) => {
    missed = details;
  });
  await expect(
    activity.run(githubActivities(undefined as never, { of: () => github }).awaitRunChange, request),
  ).rejects.toThrow('run 7 is still queued');
  return missed;
}

describe('looks at a run that GitHub does not find', () => {
  it('begin anew once it was seen', async () => {
    expect(await missedAfter(true)).toBe(0);
  });

  it('go on counting after one that needed no answer of GitHub: another worker knows less', async () => {
    expect(await missedAfter(false)).toBe(5);
  });
});

describe('a forge that is behind and shows an attempt before the one that was seen', () => {
  const earlier: RunView = {
    ...{ run_id: 7, run_url: 'https://github.test/7', request_id: 'R1' },
    ...{ status: 'completed', conclusion: 'failure', run_attempt: 1 },
  };
  const forge = (attempts: boolean) =>
    ({ capabilities: { attempts }, runs: { read: async () => earlier } }) as unknown as Forge;
  const read = (github: Forge, attempt = 1) =>
    new MockActivityEnvironment({ attempt }).run(githubActivities(undefined as never, { of: () => github }).readRun, {
      ...{ repository: 'acme/images', run_id: 7, run_attempt: 2 },
    });

  it('is asked again', async () => {
    await expect(read(forge(true))).rejects.toThrow('run 7 is still shown as of attempt 1');
  });

  it('is believed in the end, and where it does not number attempts', async () => {
    expect(await read(forge(true), 20)).toEqual(earlier);
    expect(await read(forge(false))).toEqual(earlier);
  });

  it.each([
    [true, {}],
    [false, { view: earlier }],
  ])('shows no change of the run (attempts are numbered: %s)', async (attempts, change) => {
    const dialect = { capabilities: { attempts, etags: false }, readRun: async () => earlier } as unknown as Dialect;
    const runs = new Runs(undefined as never, dialect, Date.now);
    const found = await runs.changed('acme/images', 7, { status: 'in_progress', run_attempt: 2 }, 1_000);
    expect(found).toMatchObject(change);
    expect('view' in found).toBe(!attempts);
  });
});

/** Another attempt of a run that had ended. */
const runAgain: RunView = {
  ...{ run_id: 7, run_url: 'https://github.test/7', request_id: 'R1' },
  ...{ status: 'in_progress', conclusion: null, run_attempt: 2 },
};

/** A record with these events, for whoever asks. */
function recordOf(all_events: object[]): Db {
  const db = (query: TemplateStringsArray | string) => (typeof query === 'string' ? query : [{ all_events }]);
  return db as unknown as Db;
}

/** Looks at a run within a workflow task. */
function lookWithinTask({ lookAtRun }: Pick<ReturnType<typeof githubActivities>, 'lookAtRun'>): Promise<RunView> {
  const looked = { repository: 'acme/images', run_id: 7, run_attempt: 1, build_id: 1, end_key: 'completed' };
  return new MockActivityEnvironment({ isLocal: true }).run(lookAtRun, looked);
}

describe('a look at a run within a workflow task', () => {
  const github = { runs: { read: async () => runAgain } } as unknown as Forge;
  const at = '2026-11-30T00:00:00.000Z';
  const end = { dedupe_key: 'completed', data: { conclusion: 'failure' }, occurred_at: at, recorded_at: at };

  it('holds to the end that an earlier try of the task recorded, of a run that goes on meanwhile', async () => {
    const looked = await lookWithinTask(githubActivities(recordOf([end]), { of: () => github }));
    expect(looked).toMatchObject({ status: 'completed', conclusion: 'failure', run_attempt: 2 });
  });

  it('does not take the end of an attempt before, which has another key, for it', async () => {
    const before = { ...end, dedupe_key: 'retry:1:completed' };
    expect(await lookWithinTask(githubActivities(recordOf([before]), { of: () => github }))).toEqual(runAgain);
  });

  it('asks the forge one at a time: it takes no slot, and so nothing else bounds them', async () => {
    let answer = (_: RunView) => {};
    let asked = 0;
    const read = () => {
      asked += 1;
      return new Promise<RunView>((resolve) => {
        answer = resolve;
      });
    };
    const slow = { runs: { read } } as unknown as Forge;
    const activities = githubActivities(recordOf([]), { of: () => slow });
    const first = lookWithinTask(activities);
    await expect(lookWithinTask(activities)).rejects.toThrow('this worker looks at another run');
    answer(runAgain);
    expect(await first).toEqual(runAgain);
    expect(asked).toBe(1);
    const next = lookWithinTask(activities);
    answer(runAgain);
    expect(await next).toEqual(runAgain);
  });
});

describe('how far a reading of all recent runs goes back', () => {
  const since = '2026-11-21T10:00:00.000Z';
  const ageAt = async (scheduledMs: number, nowMs: number) => {
    let read: unknown;
    const find = async (_repository: string, _sought: unknown, ageMs: number) => {
      read = ageMs;
      return { kind: 'absent' };
    };
    const forge = { runs: { find } } as unknown as Forge;
    const { findRuns } = githubActivities(undefined as never, { of: () => forge });
    const activity = new MockActivityEnvironment({
      currentAttemptScheduledTimestampMs: Date.parse(since) + scheduledMs,
    });
    vi.useFakeTimers({ now: Date.parse(since) + nowMs, toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const sought = { repository: 'acme/images', workflow: 'build.yml', ref: 'main', tokens: ['t'], since };
    await activity.run(findRuns, sought);
    return read;
  };

  it('includes the time that the attempt waited for a worker', async () => {
    expect(await ageAt(60_000, 960_000)).toBe(960_000);
  });

  it("is by Temporal's clock if the worker's is behind, and never negative", async () => {
    expect(await ageAt(60_000, -3_600_000)).toBe(60_000);
    expect(await ageAt(-1_000, -2_000)).toBe(0);
  });
});
