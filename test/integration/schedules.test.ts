import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { FeedEvent } from '../../src/contracts/event-feed.ts';
import { FIRE_WORKFLOW, temporalScheduleId } from '../../src/contracts/schedules/fire-workflow.ts';
import { WORKFLOW_TASK_QUEUE } from '../../src/contracts/tasks/task-queues.ts';
import { inTransaction, openDatabase } from '../../src/store/database.ts';
import { appendEvent } from '../../src/store/record/event-append.ts';
import { findSchedule } from '../../src/store/schedules/schedule-find.ts';
import { SCHEDULES } from '../../src/store/schedules/schedule-stream.ts';
import { startAnotherApi } from '../world/another-api.ts';
import { person } from '../world/command-line.ts';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';
import { reconcileWorld } from './reconcile-world.ts';

const YEARLY = { cron: ['0 0 1 1 *'] };

let world: World;
beforeAll(async () => {
  world = await openWorld('server');
});
afterAll(() => world.close());

const put = async (name: string, body: object) => {
  const answer = await world.call('PUT', `/schedules/${name}`, body);
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer;
};
const schedule = async (name: string) => (await world.call('GET', `/schedules/${name}`)).json;
const eventsOf = async (name: string, ...types: string[]): Promise<FeedEvent[]> => {
  const { json } = await world.call('GET', `/events?stream=schedule:${name}&limit=200`);
  return json.events.filter(({ event_type }: FeedEvent) => types.length === 0 || types.includes(event_type));
};
const timesOf = (events: FeedEvent[]) => events.map(({ event_data }) => event_data!.time as string);
/** Starts the workflow of a firing, as Temporal's schedule does. */
const fire = (name: string, time: string, workflowId: string, version?: number) =>
  world.client.workflow.start(FIRE_WORKFLOW, {
    workflowId,
    taskQueue: WORKFLOW_TASK_QUEUE,
    args: [{ schedule: name, jitter_seconds: 0, time, version }],
  });
const fired = async (name: string, count: number) =>
  eventually(async () => {
    const events = await eventsOf(name, 'schedule_fired');
    expect(events.length).toBeGreaterThanOrEqual(count);
    return events;
  });
/** A time so many seconds from now, exact to the second as the times of a schedule are. */
const second = (n: number) => new Date(Math.floor(Date.now() / 1_000) * 1_000 + n * 1_000).toISOString();
const reconcile = () => reconcileWorld(world);
const idOf = (event: FeedEvent, index = 0) =>
  Number((event.event_data!.made as Array<{ made: string }>)[index]!.made.replace('build:', ''));

describe('a schedule', () => {
  it('makes a build at each of its times, until it is paused', async () => {
    const { status, json } = await put('often', {
      build: { config: 'default' },
      intervals: [{ every_seconds: 2 }],
      overlap: 'allow',
    });
    expect([status, json.status, json.version]).toEqual([201, 'active', 1]);
    const [first, second] = await fired('often', 2);
    const times = timesOf([first!, second!]).sort();
    expect(Date.parse(times[1]!) - Date.parse(times[0]!)).toBe(2_000);
    expect(Date.parse(times[0]!) % 2_000).toBe(0);
    const build = await world.ended(idOf(first!));
    expect(build.status).toBe('success');
    expect(build.events[0]!.event_data).toMatchObject({ caller: 'schedule:often', keyed: true });

    const { json: next } = await world.call('GET', '/schedules/often/next');
    expect(next.times).toHaveLength(10);
    expect(Date.parse(next.times[9]) - Date.parse(next.times[0])).toBe(18_000);

    expect((await world.call('POST', '/schedules/often/pause', { note: 'holiday' })).json).toMatchObject({
      status: 'paused',
      paused_note: 'holiday',
    });
    const described = await world.client.schedule.getHandle(temporalScheduleId('often')).describe();
    expect(described.state).toEqual(expect.objectContaining({ paused: true, note: 'hapax: paused: holiday' }));
    const before = (await schedule('often')).fired;
    await delay(4_500);
    // One that had begun when it was paused may have ended since.
    expect((await schedule('often')).fired).toBeLessThanOrEqual(before + 1);
    const byHand = await world.call('POST', '/schedules/often/trigger', undefined, { 'idempotency-key': 'now' });
    const again = await world.call('POST', '/schedules/often/trigger', undefined, { 'idempotency-key': 'now' });
    expect([byHand.status, again.json.made[0].made]).toEqual([202, byHand.json.made[0].made]);
    expect([byHand, again].map(({ headers }) => headers.get('idempotent-replayed'))).toEqual([null, 'true']);
    // A caller's own key.
    const secret = '0123456789abcdef0123456789abcdef';
    const api = await startAnotherApi(world, { settings: { API_KEYS: `other=${secret}` } });
    const headers = { 'idempotency-key': 'now', authorization: `Bearer ${secret}` };
    const other = await api.call('POST', '/schedules/often/trigger', undefined, headers);
    expect([other.status, other.headers.get('idempotent-replayed')]).toEqual([202, null]);
    expect(other.json.made[0].made).not.toBe(byHand.json.made[0].made);
    expect((await eventsOf('often', 'schedule_fired')).filter((one) => one.event_data!.by === 'local')).toHaveLength(1);

    expect((await world.call('POST', '/schedules/often/resume')).json).toMatchObject({
      status: 'active',
      paused_note: null,
    });
    const count = (await schedule('often')).fired;
    await eventually(async () => expect((await schedule('often')).fired).toBeGreaterThan(count));
    const stale = await world.call('DELETE', '/schedules/often', undefined, { 'if-match': '"2"' });
    expect([stale.status, stale.json.code]).toEqual([412, 'precondition_failed']);
    expect((await world.call('DELETE', '/schedules/often', undefined, { 'if-match': '"1"' })).status).toBe(204);
    expect((await world.call('GET', '/schedules/often')).status).toBe(404);
    expect(
      (await world.call('GET', '/schedules')).json.schedules.map((one: { name: string }) => one.name),
    ).not.toContain('often');
    await expect(
      described.info && world.client.schedule.getHandle(temporalScheduleId('often')).describe(),
    ).rejects.toThrow();
    const all = await eventsOf('often');
    const made = all.filter(({ event_type }) => event_type === 'schedule_fired');
    expect(new Set(timesOf(made)).size).toBe(made.length);
    expect(all.at(-1)!.event_type).toMatch(/schedule_(deleted|fired)/);
  });

  it.each([
    ['is not deleted if it changes after its version was compared', { 'if-match': '"1"' }, 412],
    ['is deleted as it is by then, if no version was asked for', {}, 204],
  ])('%s', async (_, headers, status) => {
    const name = `changing-${status}`;
    await put(name, { build: { config: 'default' }, ...YEARLY });
    const owner = openDatabase({ url: world.databaseUrl });
    onTestFinished(() => owner.close());
    const deleting = await inTransaction(owner.db, async (tx) => {
      await tx`LOCK TABLE events IN SHARE ROW EXCLUSIVE MODE`;
      const deletion = world.call('DELETE', `/schedules/${name}`, undefined, headers);
      // It has read the schedule, and waits to write.
      await eventually(async () =>
        expect(
          await owner.db`SELECT FROM pg_stat_activity WHERE query LIKE '%WITH appended AS%' AND wait_event_type = 'Lock'
          AND datname = current_database()`,
        ).toHaveLength(1),
      );
      const { definition, workflow_id } = (await findSchedule(world.db, name))!;
      await appendEvent(tx, SCHEDULES, name, {
        type: 'schedule_changed',
        data: { workflow_id, version: 2, definition: { ...definition, note: 'newer' }, by: 'local' },
        occurred_at: new Date().toISOString(),
        dedupe_key: 'version:2',
      });
      return [deletion] as const;
    });
    const response = await deleting[0];
    expect(response.status, response.text).toBe(status);
    const types = (await eventsOf(name)).map(({ event_type }) => event_type);
    const ends = status === 204 ? ['schedule_deleted'] : [];
    expect(types).toEqual(['schedule_created', 'schedule_changed', ...ends]);
  });

  it('makes one build of a time that is fired three times at once', async () => {
    await put('doubled', { build: { config: 'default' }, ...YEARLY });
    const time = new Date(Math.floor(Date.now() / 1_000) * 1_000).toISOString();
    const handles = await Promise.all(['one', 'two', 'three'].map((id) => fire('doubled', time, `doubled-${id}`)));
    const outcomes = await Promise.all(handles.map((handle) => handle.result()));
    expect(outcomes.map(({ kind }) => kind)).toContain('fired');
    expect(await eventsOf('doubled', 'schedule_fired')).toHaveLength(1);
    const [row] = await world.db<
      Array<{ count: number }>
    >`SELECT count(*) FROM builds WHERE caller = 'schedule:doubled'`;
    expect(row!.count).toBe(1);
  });

  it('skips a time while its last build runs, or lets one time wait, or cancels the build', async () => {
    const stuck = { config: 'default', inputs: { simulate: 'stuck' } };
    for (const overlap of ['skip', 'buffer_one', 'cancel_other']) {
      await put(overlap, { build: { ...stuck, ref: overlap }, ...YEARLY, overlap });
      const first = await (await fire(overlap, second(0), `${overlap}-1`)).result();
      expect(first.kind).toBe('fired');
    }
    const [running] = await fired('skip', 1);
    const skipped = await (await fire('skip', second(1), 'skip-2')).result();
    expect(skipped).toEqual({ kind: 'skipped', reason: 'overlap' });
    expect((await eventsOf('skip', 'schedule_skipped'))[0]!.event_data).toMatchObject({
      reason: 'overlap',
      detail: `build:${idOf(running!)} has not ended`,
    });

    const waiting = await fire('buffer_one', second(1), 'buffer_one-2');
    await eventually(async () => expect((await schedule('buffer_one')).waiting_time).toEqual(expect.anything()));
    expect(await (await fire('buffer_one', second(2), 'buffer_one-3')).result()).toMatchObject({ reason: 'overlap' });
    const [before] = await eventsOf('buffer_one', 'schedule_fired');
    await world.call('POST', `/builds/${idOf(before!)}/cancel`, {});
    expect(await waiting.result()).toMatchObject({ kind: 'fired' });
    expect((await schedule('buffer_one')).waiting_time).toBeNull();

    expect(await (await fire('cancel_other', second(1), 'cancel_other-2')).result()).toMatchObject({ kind: 'fired' });
    const [cancelled] = await eventsOf('cancel_other', 'schedule_fired');
    expect((await world.ended(idOf(cancelled!))).status).toBe('cancelled');
  });

  it('does not forget what still runs when a person fires it', async () => {
    await put('beside', { build: { config: 'default', inputs: { simulate: 'stuck' }, ref: 'beside' }, ...YEARLY });
    await (await fire('beside', second(-1), 'beside-1')).result();
    await world.call('POST', '/schedules/beside/trigger');
    const [first, byHand] = await eventsOf('beside', 'schedule_fired');
    expect(byHand!.event_data!.running).toEqual([{ made: `build:${idOf(first!)}` }]);
    await world.call('POST', `/builds/${idOf(byHand!)}/cancel`, {});
    await world.ended(idOf(byHand!));
    const skipped = await (await fire('beside', second(0), 'beside-2')).result();
    expect(skipped).toEqual({ kind: 'skipped', reason: 'overlap' });
    await world.call('POST', `/builds/${idOf(first!)}/cancel`, {});
    await world.ended(idOf(first!));
    expect(await (await fire('beside', second(1), 'beside-3')).result()).toMatchObject({ kind: 'fired' });
  });

  it('fires a time that waits, although the workflow that waited was lost', async () => {
    await put('waiter', {
      ...{ build: { config: 'default', inputs: { simulate: 'stuck' }, ref: 'waiter' }, ...YEARLY },
      overlap: 'buffer_one',
    });
    await (await fire('waiter', second(-1), 'waiter-1')).result();
    const lost = await fire('waiter', second(0), 'waiter-2');
    await eventually(async () => expect((await schedule('waiter')).waiting_time).toEqual(expect.anything()));
    await lost.terminate();
    const [running] = await eventsOf('waiter', 'schedule_fired');
    await world.call('POST', `/builds/${idOf(running!)}/cancel`, {});
    await world.ended(idOf(running!));
    await eventually(async () => {
      await reconcile();
      expect(await schedule('waiter')).toMatchObject({ fired: 2, waiting_time: null });
    }, 60_000);
  });

  it('makes nothing at a time of an earlier version that had not fired yet', async () => {
    await put('changed', { build: { config: 'default', ref: 'as-it-was' }, ...YEARLY });
    await world.stopWorker();
    const time = second(0);
    const firing = await fire('changed', time, 'changed-1', 1);
    await put('changed', { build: { config: 'default', ref: 'as-it-is' }, ...YEARLY });
    await world.startWorker();
    expect(await firing.result()).toEqual({ kind: 'skipped', reason: 'changed' });
    expect(await eventsOf('changed', 'schedule_fired')).toEqual([]);
    expect((await eventsOf('changed', 'schedule_missed'))[0]!.event_data).toMatchObject({ times: [time] });
    expect(await world.db`SELECT id FROM builds WHERE caller = 'schedule:changed'`).toEqual([]);
  });

  it.each([7, 2])(
    'has all times of its last change (every %d s) and no other, also if Temporal was away then',
    async (seconds) => {
      const name = `behind-${seconds}`;
      const often = (every_seconds: number) => ({
        ...{ build: { config: 'default' }, intervals: [{ every_seconds }], overlap: 'allow', note: `${every_seconds}` },
      });
      await put(name, { ...often(2), note: 'earlier' });
      await fired(name, 1);
      const handle = world.client.schedule.getHandle(temporalScheduleId(name));
      const before = await handle.describe();
      await put(name, often(seconds));
      await handle.update(() => before as never);
      await eventually(async () => {
        const [change] = await eventsOf(name, 'schedule_changed');
        const after = timesOf(await fired(name, 1)).filter((time) => time > change!.timestamp);
        const times = after.map((time) => Date.parse(time)).sort((a, b) => a - b);
        const every = seconds * 1_000;
        const first = Math.ceil(Date.parse(change!.timestamp) / every) * every;
        expect(times.length).toBeGreaterThan(1);
        expect(times).toEqual(times.map((_, n) => first + n * every));
      }, 60_000);
      expect((await handle.describe()).action.args).toMatchObject([{ version: 2 }]);
      await world.call('DELETE', `/schedules/${name}`);
    },
  );

  it('builds every configuration that matches, one by one', async () => {
    const content = { repository: 'acme/images', workflow: 'build.yml' };
    for (const name of ['weekly-a', 'weekly-b', 'weekly-old', 'other']) {
      await world.call('PUT', `/configs/by-name/${name}`, { ...content, default_ref: name });
    }
    await world.call('PUT', '/configs/by-name/weekly-needs', {
      ...content,
      templates: { image: '{{fedora_version}}' },
    });
    const { json: old } = await world.call('GET', '/configs?name=weekly-old');
    await world.call('DELETE', `/configs/${old.configs[0].id}`);
    await put('weekly', { builds: { configs: 'weekly-*', inputs: { simulate: 'stuck' } }, ...YEARLY });
    const answer = await world.call('POST', '/schedules/weekly/trigger');
    expect(answer.json.made.map(({ config }: { config: string }) => config)).toEqual(['weekly-a', 'weekly-b']);
    expect(answer.json.refused).toEqual([
      { config: 'weekly-needs', detail: expect.stringContaining('fedora_version') },
    ]);
    // One that still runs holds back only its own configuration.
    await world.call('POST', `/builds/${answer.json.made[0].made.replace('build:', '')}/cancel`, {});
    await world.ended(Number(answer.json.made[0].made.replace('build:', '')));
    await (await fire('weekly', second(0), 'weekly-1')).result();
    const [, scheduled] = await eventsOf('weekly', 'schedule_fired');
    expect(scheduled!.event_data).toMatchObject({
      made: [{ config: 'weekly-a' }],
      running: [{ config: 'weekly-b', made: answer.json.made[1].made }],
    });
  });

  it('fired by hand, says to a person what was refused', async () => {
    const content = { repository: 'acme/images', workflow: 'build.yml' };
    await world.call('PUT', '/configs/by-name/partly-a', content);
    await world.call('PUT', '/configs/by-name/partly-b', { ...content, templates: { image: '{{fedora_version}}' } });
    await put('partly', { builds: { configs: 'partly-*' }, ...YEARLY });
    const me = person({ HAPAX_URL: world.url });
    onTestFinished(me.remove);
    expect(await me.hapax(['schedules', 'trigger', 'partly'])).toMatchObject({
      ...{ code: 1, stdout: expect.stringMatching(/^build:\d+ {2}partly-a\n$/) },
      stderr: expect.stringMatching(/^hapax: partly-b: .*fedora_version/),
    });
    const fired = await fetch(`${world.url}/console/schedules/partly/trigger`, {
      ...{ method: 'POST', redirect: 'manual', body: new URLSearchParams({ sure: 'yes' }) },
      headers: { origin: world.url, 'sec-fetch-site': 'same-origin' },
    });
    const [, flash = ''] = /hapax_flash=([\w-]+)/.exec(fired.headers.get('set-cookie') ?? '') ?? [];
    expect(JSON.parse(Buffer.from(flash, 'base64url').toString())).toEqual({
      ...{ tone: 'bad', text: expect.stringMatching(/^It made build:\d+\. 1 refused: partly-b: .*fedora_version/) },
    });
  });

  it('makes a task, with what Celery beat would give it', async () => {
    await put('search', {
      task: { name: 'semantic_search', args: ['moon'], priority: 7, expires_seconds: 60 },
      ...YEARLY,
    });
    const { json } = await world.call('POST', '/schedules/search/trigger');
    const task = await eventually(async () => {
      const { json: task } = await world.call('GET', `/tasks/${json.made[0].made.replace('task:', '')}`);
      expect(task.status).toBe('SUCCESS');
      return task;
    });
    expect(task).toMatchObject({ priority: 7, args: ['moon'], expires: expect.any(String) });
  });
});

it('catches up what Temporal did not fire, and records what is too old', async () => {
  const every = { build: { config: 'default' }, intervals: [{ every_seconds: 2 }], overlap: 'allow' };
  await put('caught-up', { ...every, catch_up_seconds: 600 });
  await put('missed', { ...every, catch_up_seconds: 10 });
  const handles = ['caught-up', 'missed'].map((name) => world.client.schedule.getHandle(temporalScheduleId(name)));
  await fired('missed', 1);
  await fired('caught-up', 1);
  // Temporal takes no action for a while, and says nothing of it afterwards.
  for (const handle of handles) await handle.pause('hapax: does nothing');
  await delay(24_000);
  for (const handle of handles) await handle.unpause('hapax: goes on');
  const every2s = (times: string[]) => {
    const sorted = [...new Set(times)].sort();
    return (
      sorted.length > 1 && sorted.every((time, n) => n === 0 || Date.parse(time) - Date.parse(sorted[n - 1]!) === 2_000)
    );
  };
  await eventually(async () => {
    const events = await eventsOf('caught-up', 'schedule_fired');
    expect(events.length).toBeGreaterThan(12);
    expect(every2s(timesOf(events))).toBe(true);
  }, 60_000);
  await eventually(async () => {
    const missed = await eventsOf('missed', 'schedule_missed');
    expect(missed.length).toBeGreaterThan(0);
    const known = timesOf(await eventsOf('missed', 'schedule_fired', 'schedule_skipped'));
    expect(every2s([...known, ...missed.flatMap(({ event_data }) => event_data!.times as string[])])).toBe(true);
  }, 60_000);
  for (const name of ['caught-up', 'missed']) await world.call('DELETE', `/schedules/${name}`);
});
