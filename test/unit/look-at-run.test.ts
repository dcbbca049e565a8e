import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { githubActivities } from '../../src/activities/github.ts';
import type { Forge } from '../../src/integrations/forges/forge.ts';

const request = {
  repository: 'acme/images',
  run_id: 7,
  seen: { status: 'queued', run_attempt: 1 },
  interval_ms: 30_000,
};

/** What is left of five looks that found no run, after one more that found this. */
async function missedAfter(asked: boolean): Promise<unknown> {
  const github = { changed: async () => ({ lookAgainMs: 1_000, asked }) } as unknown as Forge;
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
