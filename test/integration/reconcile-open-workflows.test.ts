import { afterEach, expect, it } from 'vitest';
import { eventually } from '../world/eventually.ts';
import { setStreamBack } from '../world/set-back.ts';
import { openWorld, type World } from '../world/world.ts';
import { reconcileWorld } from './reconcile-world.ts';

let world: World;
afterEach(() => world.close());

const reconcile = () => reconcileWorld(world);

it('a lost end is recorded again while the workflow of the build is still open', async () => {
  // The workflow stays open for this long.
  world = await openWorld('server', { DEDUP_WINDOW: '10m' });
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

it('a lost end is not replaced by a cancellation or revocation once the workflow has closed', async () => {
  world = await openWorld('server', { DEDUP_WINDOW: '0' }, { process_content: async () => 'done' });
  const { id } = (await world.trigger({ ref: 'ended' })).json;
  await world.ended(id);
  const task = { name: 'process_content', args: ['c', ['embed']], task_id: 'ended' };
  await world.call('POST', '/tasks', task);
  await world.call('GET', '/tasks/ended?wait=60');
  for (const table of ['builds', 'tasks']) {
    const [row] = await world.db`SELECT workflow_id FROM ${world.db(table)}`;
    await world.client.workflow.getHandle(row!.workflow_id).result();
  }
  for (const [table, name, status] of [
    ['builds', id, 'in_progress'],
    ['tasks', 'ended', 'STARTED'],
  ] as const) {
    const [row] = await world.db`SELECT * FROM ${world.db(table)} WHERE id = ${name}`;
    const events = Number(row!.last_seq) - 1;
    const [last] =
      await world.db`SELECT hash FROM events WHERE stream = ${`${table.slice(0, -1)}:${name}`} AND seq = ${events}`;
    const before = { ...row, status, completed_at: null, last_seq: events, last_hash: last!.hash };
    await setStreamBack(world.databaseUrl, { table, id: name, events, row: before });
  }
  for (const path of [`/builds/${id}/cancel`, '/tasks/ended/cancel']) {
    const response = await world.call('POST', path, {});
    expect([response.status, response.json.detail], path).toEqual([
      409,
      expect.stringContaining('the record has lost that'),
    ]);
  }
  expect((await reconcile()).code).toBe(0);
  expect(await world.build(id)).toMatchObject({ status: 'success' });
  expect((await world.call('GET', '/tasks/ended')).json).toMatchObject({ status: 'SUCCESS', result: 'done' });
});
