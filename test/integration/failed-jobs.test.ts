import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { composeBuildCallback } from '../../src/activities/callback-subjects.ts';
import { buildStream } from '../../src/store/builds/build-stream.ts';
import { listEvents } from '../../src/store/record/event-list-by-stream.ts';
import { openWorld, type World } from '../world/world.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld('embedded');
});
afterAll(() => world.close());
beforeEach(async () => {
  await world.github.control('DELETE', '/faults');
  await world.github.set({ jobs: null, may_read_checks: true });
});

let n = 0;
/** A build whose run ends so, with the event of its end. */
async function failed(simulate = 'failure') {
  const { json } = await world.trigger({ ref: `failed-${++n}`, inputs: { simulate } });
  const build = await world.ended(json.id);
  const end = build.events.findLast(({ event_type }) => event_type === 'build_completed');
  return { build, recorded: end?.event_data?.failed_jobs };
}

it('the event, the build, its callback and its workflow say which jobs and steps failed, and why', async () => {
  await world.github.set({
    jobs: [
      { name: 'lint', conclusion: 'success' },
      {
        name: 'build (43)',
        conclusion: 'failure',
        steps: [
          { name: 'Set up job', conclusion: 'success' },
          { name: 'Build the image', conclusion: 'failure' },
        ],
        annotations: [{ message: 'No space left on device', path: 'Containerfile', start_line: 7 }],
      },
      { name: 'build (44)', conclusion: 'cancelled' },
    ],
  });
  const { build, recorded } = await failed();
  const expected = [
    {
      name: 'build (43)',
      conclusion: 'failure',
      url: expect.stringMatching(`^${world.simulator.url}/acme/images/actions/runs/${build.workflow_run_id}/job/`),
      steps: [{ number: 2, name: 'Build the image', conclusion: 'failure' }],
      annotations: [{ level: 'failure', message: 'No space left on device', path: 'Containerfile', line: 7 }],
    },
  ];
  expect(recorded).toEqual(expected);
  expect(build.failed_jobs).toEqual(expected);
  const { body } = composeBuildCallback(await listEvents(world.db, buildStream(build.id)), 'completed');
  expect(JSON.parse(body).data.failed_jobs).toEqual(expected);
  const workflowId = String(build.events[0]?.event_data?.workflow_id);
  const metadata = await world.client.workflow.getHandle(workflowId).query('__temporal_workflow_metadata');
  expect(JSON.stringify(metadata)).toContain('in Build the image: No space left on device');
});

it('without the right to read checks there are no annotations', async () => {
  await world.github.set({ may_read_checks: false });
  expect((await failed()).recorded).toMatchObject([{ name: 'build', annotations: [] }]);
});

it.each(['startup_failure', 'timed_out'])('a run that ends with %s keeps its word', async (conclusion) => {
  expect((await failed(conclusion)).build).toMatchObject({ status: 'failure', conclusion });
});

it('a run that ends well is not asked about', async () => {
  const before = (await world.github.oracle()).requests.jobs;
  const { build } = await failed('success');
  expect(build.failed_jobs).toEqual([]);
  expect((await world.github.oracle()).requests.jobs).toBe(before);
});

it.each(['reject-with-502', 'reset', 'reject-with-404', 'primary-rate-limit'])(
  'where GitHub does not say (%s) the end is recorded without',
  async (kind) => {
    await world.github.fault({ on: 'jobs', kind, times: null, reset_in_s: 600 });
    const { build, recorded } = await failed();
    expect(build).toMatchObject({ status: 'failure', conclusion: 'failure', failed_jobs: [] });
    expect(recorded).toBeUndefined();
    await world.liftLimits();
  },
);
