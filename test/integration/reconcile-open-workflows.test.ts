import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { eventually } from '../world/eventually.ts';
import { setStreamBack } from '../world/set-back.ts';
import { openWorld, type World } from '../world/world.ts';
import { hapax } from './told-builds.ts';

let world: World;
beforeAll(async () => {
  // The workflow of a build stays open for this long.
  world = await openWorld('server', { DEDUP_WINDOW: '10m' });
});
afterAll(() => world.close());

it('a lost end is recorded again while the workflow of the build is still open', async () => {
  const id = (await world.trigger({ ref: 'ended-since', inputs: { simulate: 'stuck' } })).json.id as number;
  const before = await eventually(async () => {
    const build = await world.build(id);
    expect(build.events.at(-1)?.event_data).toMatchObject({ run_status: 'in_progress' });
    return build;
  });
  const [row] = await world.db`SELECT * FROM builds WHERE id = ${id}`;
  await world.github.force(before.workflow_run_id!, 'completed', 'success');
  const ended = await world.ended(id);
  await setStreamBack(world.databaseUrl, { table: 'builds', id, events: before.events.length, row: row! });
  expect(await world.build(id)).toMatchObject({ status: 'in_progress', completed_at: null });

  // What began a moment ago is left alone: its first events may be on their way.
  const reconcile = () =>
    hapax(['reconcile'], {
      ...{ DATABASE_URL: world.databaseUrl, TEMPORAL_ADDRESS: inject('temporalAddress') },
      ...{ TEMPORAL_NAMESPACE: world.namespace, LOG_LEVEL: 'fatal' },
    });
  await eventually(async () => {
    expect((await reconcile()).stdout).toContain(`build:${id} is ahead in Temporal: the record has lost events`);
  });
  const again = await world.ended(id);
  expect(again).toMatchObject({ status: 'success', conclusion: 'success', completed_at: ended.completed_at });
  expect(
    again.events
      .map(({ event_type }) => event_type)
      .slice(before.events.length)
      .sort(),
  ).toEqual(['build_completed', 'build_recovered']);
  const workflowId = String(again.events[0]!.event_data!.workflow_id);
  expect((await world.client.workflow.getHandle(workflowId).describe()).status.name).toBe('RUNNING');
});
