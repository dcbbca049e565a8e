import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { DAYS_OF_WEEK, MONTHS } from '@temporalio/client';
import type { Row } from 'postgres';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { listDueTimes } from '../../src/commands/schedules/temporal-schedule.ts';
import type { FeedEvent } from '../../src/contracts/event-feed.ts';
import { temporalScheduleId } from '../../src/contracts/schedules/fire-workflow.ts';
import { readCron } from '../../src/domain/schedules/cron.ts';
import { person } from '../world/command-line.ts';
import { eventually } from '../world/eventually.ts';
import { setStreamBack } from '../world/set-back.ts';
import { openWorld, type World } from '../world/world.ts';
import { hapax } from './told-builds.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld('server');
});
afterAll(() => world.close());

const YEARLY = { build: { config: 'default' }, cron: ['0 0 1 1 *'] };
const put = async (name: string, body: object) => {
  const answer = await world.call('PUT', `/schedules/${name}`, body);
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer.json;
};
const schedule = async (name: string) => (await world.call('GET', `/schedules/${name}`)).json;
const handleOf = (name: string) => world.client.schedule.getHandle(temporalScheduleId(name));
const eventsOf = async (name: string): Promise<FeedEvent[]> =>
  (await world.call('GET', `/events?stream=schedule:${name}&limit=200`)).json.events;
const reconcile = () =>
  hapax(['reconcile'], {
    DATABASE_URL: world.databaseUrl,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: world.namespace,
    LOG_LEVEL: 'fatal',
  });

/** What Temporal takes a cron expression for, field by field; undefined where it refuses it. */
async function temporalReads(client: Client, cron: string) {
  const scheduleId = 'dialect';
  try {
    const action = { type: 'startWorkflow', workflowType: 'none', workflowId: 'none', taskQueue: 'none' } as const;
    await client.schedule.create({ scheduleId, spec: { cronExpressions: [cron] }, action, state: { paused: true } });
  } catch {
    return undefined;
  }
  const handle = client.schedule.getHandle(scheduleId);
  const [calendar] = (await handle.describe()).spec.calendars!;
  await handle.delete();
  const { second, minute, hour, dayOfMonth, month, year, dayOfWeek } = calendar!;
  const values = (ranges: Array<{ start: number; end: number; step: number }>) => {
    const found = new Set<number>();
    for (const { start, end, step } of ranges) for (let value = start; value <= end; value += step) found.add(value);
    return [...found].sort((a, b) => a - b);
  };
  const named = (names: readonly string[], from: number, ranges: Array<{ start: string; end: string; step: number }>) =>
    values(
      ranges.map(({ start, end, step }) => ({
        start: names.indexOf(start) + from,
        end: names.indexOf(end) + from,
        step,
      })),
    );
  return {
    second: values(second),
    minute: values(minute),
    hour: values(hour),
    day_of_month: values(dayOfMonth),
    month: named(MONTHS, 1, month),
    year: values(year),
    day_of_week: named(DAYS_OF_WEEK, 0, dayOfWeek),
  };
}

it('reads every cron expression that it takes as Temporal does, and takes none that Temporal refuses', async () => {
  const texts = [
    ...['0 3 * * SUN', '@hourly', '@daily', '@midnight', '@weekly', '@monthly', '@yearly', '@annually', '5/7 * * * *'],
    ...[
      '0 3 * * 7',
      '0 3 * * 0-7',
      '0 3 * * 1/2',
      '*/7 */5 */9 */5 */3',
      '0 0 31 2 *',
      '1-5/2,7,50-59 * * * *',
      '01 * * * *',
    ],
    ...['0 3 * JAN-MAR MON-FRI', '0 3 * * sunday', '0 0 1 1 * 2030', '15 0 0 1 1 * 2030-2040/5', '*/20 * * * * * *'],
    ...[
      '0 3 * * 5-1',
      '0 25 * * *',
      'bad',
      '0 3 ? * MON',
      '60 * * * *',
      '*/0 * * * *',
      '1,,2 * * * *',
      '1- * * * *',
      '-1 * * * *',
    ],
    ...[
      '0 0 1 1 * 1999',
      '0 0 1 1 * 2101',
      '0 3 * 13 *',
      '@reboot',
      '0 3 * * SAT-SUN',
      '* * * * * * * *',
      '1/2/3 * * * *',
    ],
  ];
  for (const text of texts) {
    const read = readCron(text);
    expect('matches' in read ? read.matches : undefined, text).toEqual(await temporalReads(world.client, text));
  }
});

it('follows the clock of its time zone when the clock changes, as the docs say', async () => {
  await put('clock', { ...YEARLY, cron: ['30 2 * * *'], time_zone: 'Europe/Berlin' });
  await put('elapsed', { build: YEARLY.build, intervals: [{ every_seconds: 86_400 }] });
  const due = (name: string, after: string, until: string) =>
    listDueTimes(world.client, temporalScheduleId(name), after, until);
  // 2027-03-28, 2:00 becomes 3:00.
  expect(await due('clock', '2027-03-26T12:00:00Z', '2027-03-29T12:00:00Z')).toEqual([
    '2027-03-27T01:30:00.000Z',
    '2027-03-29T00:30:00.000Z',
  ]);
  // 2027-10-31, 3:00 becomes 2:00: of the two 2:30, one fires.
  const autumn = await due('clock', '2027-10-30T12:00:00Z', '2027-11-01T12:00:00Z');
  expect(['2027-10-31T00:30:00.000Z', '2027-10-31T01:30:00.000Z']).toContain(autumn[0]);
  expect(autumn.slice(1)).toEqual(['2027-11-01T01:30:00.000Z']);
  await put('hourly', { ...YEARLY, cron: ['30 * * * *'], time_zone: 'Europe/Berlin' });
  expect(await due('hourly', '2027-10-30T22:00:00Z', '2027-10-31T04:00:00Z')).toHaveLength(5);
  expect(await due('elapsed', '2027-10-30T12:00:00Z', '2027-11-01T12:00:00Z')).toHaveLength(2);
  await put('holidays', {
    ...YEARLY,
    cron: ['0 6 * * *'],
    except: [{ hour: '6', day_of_month: '24-26', month: 'DEC' }],
  });
  expect(await due('holidays', '2027-12-22T12:00:00Z', '2027-12-27T12:00:00Z')).toEqual([
    '2027-12-23T06:00:00.000Z',
    '2027-12-27T06:00:00.000Z',
  ]);
});

it('refuses what can never fire, and says in a line what is wrong', async () => {
  const refused = async (body: object, headers: Record<string, string> = {}) => {
    const { status, json } = await world.call('PUT', '/schedules/bad', body, headers);
    return [status, json.code, json.detail];
  };
  expect(await refused({ ...YEARLY, cron: ['61 * * * *'] })).toEqual([
    400,
    'invalid_request',
    'body.cron.0: minute: "61" is not from 0 to 59',
  ]);
  expect(await refused({ ...YEARLY, build: { config: 'none' } })).toEqual([
    422,
    'unknown_configuration',
    'no build configuration is named none',
  ]);
  const { status, json } = await world.call('PUT', '/schedules/bad', {
    cron: ['@daily'],
    task: { name: 'ingest_url' },
  });
  expect([status, json.detail]).toEqual([400, 'body.task.kwargs.url: is missing']);
  expect((await refused({ cron: ['@daily'], task: { name: 'nothing' } }))[1]).toBe('unknown_task');
  expect((await refused(YEARLY, { 'if-match': '"1"' }))[1]).toBe('precondition_failed');
  expect((await world.call('PUT', '/schedules/..%2Fbad', YEARLY)).status).toBe(400);
  expect((await world.call('GET', '/schedules/bad')).status).toBe(404);
  expect((await world.call('PUT', '/schedules/dry?dry_run=true', YEARLY)).json).toMatchObject({
    name: 'dry',
    version: 1,
  });
  expect((await world.call('GET', '/schedules/dry')).status).toBe(404);
});

it('changes by versions, and is there again after it was deleted', async () => {
  expect((await put('changing', YEARLY)).version).toBe(1);
  expect((await put('changing', YEARLY)).version).toBe(1);
  expect((await put('changing', { ...YEARLY, note: 'why' })).version).toBe(2);
  const matching = (version: string) => world.call('PUT', '/schedules/changing', YEARLY, { 'if-match': version });
  expect((await matching('"1"')).status).toBe(412);
  expect((await matching('"2"')).json.version).toBe(3);
  await world.call('DELETE', '/schedules/changing');
  const again = await world.call('PUT', '/schedules/changing', YEARLY);
  expect([again.status, again.json.version, again.json.status]).toEqual([201, 4, 'active']);
  expect((await handleOf('changing').describe()).state.paused).toBe(false);
  const page = await world.call('GET', '/console/schedules');
  expect(page.text).toMatch(/changing[\s\S]*Build default[\s\S]*0 0 1 1 \*[\s\S]*schedules\/changing\/pause/);
});

it('takes back what Temporal refuses to read', async () => {
  // A name that Node knows and Temporal does not.
  const refused = () => world.call('PUT', '/schedules/refused', { ...YEARLY, time_zone: 'PST' });
  const { status, json } = await refused();
  expect([status, json.detail]).toEqual([400, 'body: Temporal refuses these times: unknown time zone PST']);
  expect((await world.call('GET', '/schedules/refused')).status).toBe(404);
  await put('refused', { ...YEARLY, note: 'as it was' });
  expect((await refused()).status).toBe(400);
  expect(await schedule('refused')).toMatchObject({ time_zone: 'UTC', note: 'as it was', changed_by: 'temporal' });
  expect((await handleOf('refused').describe()).spec.timezone).toBe('UTC');
});

it('is the same in both stores after either lost it', async () => {
  // A Temporal that lost its data.
  await put('lost-there', { ...YEARLY, intervals: [{ every_seconds: 60 }], overlap: 'allow' });
  await world.call('POST', '/schedules/lost-there/pause', { note: 'kept' });
  await handleOf('lost-there').delete();
  // A record from before a change, and one from before the schedule.
  await put('set-back', YEARLY);
  const [found] = await world.db`SELECT * FROM schedules WHERE id = 'set-back'`;
  const { last_made: _, ...row } = found!;
  await put('set-back', { ...YEARLY, note: 'newer' });
  await setStreamBack(world.databaseUrl, { table: 'schedules', id: 'set-back', events: 1, row });
  await put('lost-here', { ...YEARLY, note: 'known to Temporal' });
  await setStreamBack(world.databaseUrl, { table: 'schedules', id: 'lost-here', events: 0, row: undefined });
  // What somebody did in Temporal's Web UI, and a deletion that Temporal did not hear of.
  await put('by-hand', YEARLY);
  await handleOf('by-hand').pause('Paused via WebUI');
  await eventually(async () => {
    const listed: string[] = [];
    for await (const { scheduleId } of world.client.schedule.list()) listed.push(scheduleId);
    expect(listed).toContain(temporalScheduleId('lost-here'));
  });

  const { lines } = await reconcile();
  expect(lines).toEqual(
    expect.arrayContaining([
      'schedule:lost-there is not in Temporal: applied',
      'schedule:set-back is ahead in Temporal: the record has lost events: recorded',
      'schedule:lost-here is ahead in Temporal: the record has lost events: recorded',
      'schedule:by-hand is not in Temporal as the record has it: recorded',
    ]),
  );
  expect((await handleOf('lost-there').describe()).state.paused).toBe(true);
  expect(await schedule('lost-there')).toMatchObject({ status: 'paused', paused_note: 'kept' });
  expect(await schedule('set-back')).toMatchObject({ version: 2, note: 'newer', changed_by: 'reconciliation' });
  expect(await schedule('lost-here')).toMatchObject({ version: 1, note: 'known to Temporal' });
  expect(await schedule('by-hand')).toMatchObject({ status: 'paused', paused_note: 'Paused via WebUI' });
  expect((await eventsOf('by-hand')).at(-1)!.event_data).toMatchObject({ by: 'temporal' });
  expect((await reconcile()).lines.at(-1)).toBe('0 differ, 0 could not be repaired');
  const audit = await hapax(['audit', 'verify'], { DATABASE_URL: world.databaseUrl, LOG_LEVEL: 'fatal' });
  expect(audit.lines.at(-1)).toMatch(/, sound$/);
});

it('waits with a firing until a record that was set back has its version again', async () => {
  const rowOf = async (name: string) => {
    const [{ last_made: _, ...row } = {}] = await world.db`SELECT * FROM schedules WHERE id = ${name}`;
    return row;
  };
  const setBack = (id: string, events: number, row?: Awaited<ReturnType<typeof rowOf>>) =>
    setStreamBack(world.databaseUrl, { table: 'schedules', id, events, row: row as Row | undefined });
  // Records from before a schedule, from before a change, and from while it was deleted.
  await put('fires-unknown', YEARLY);
  await setBack('fires-unknown', 0);
  await put('fires-changed', YEARLY);
  const first = await rowOf('fires-changed');
  await put('fires-changed', { ...YEARLY, note: 'newer' });
  await setBack('fires-changed', 1, first);
  await put('fires-again', YEARLY);
  await world.call('DELETE', '/schedules/fires-again');
  const deleted = await rowOf('fires-again');
  await put('fires-again', { ...YEARLY, note: 'again' });
  await setBack('fires-again', 2, deleted);

  const names = ['fires-unknown', 'fires-changed', 'fires-again'];
  for (const name of names) {
    await handleOf(name).trigger();
    await eventually(async () => {
      const [{ action } = {}] = (await handleOf(name).describe()).info.recentActions;
      const firing = await world.client.workflow.getHandle(action!.workflow.workflowId).describe();
      const [activity] = firing.raw.pendingActivities ?? [];
      expect(activity?.lastFailure?.message).toBe('the record has lost this version of the schedule');
    });
  }
  const { lines } = await reconcile();
  for (const name of names) {
    expect(lines).toContain(`schedule:${name} is ahead in Temporal: the record has lost events: recorded`);
    await eventually(async () => expect((await eventsOf(name)).at(-1)?.event_type).toBe('schedule_fired'));
  }
  expect(await schedule('fires-changed')).toMatchObject({ version: 2, note: 'newer', fired: 1 });
  expect(await schedule('fires-again')).toMatchObject({ status: 'active', version: 2, note: 'again', fired: 1 });
});

it('imports beat_schedule, after it has shown what it would make', async () => {
  const me = person({ HAPAX_URL: world.url });
  try {
    const file = join(me.home, 'beat.json');
    writeFileSync(
      file,
      JSON.stringify({
        'every night': {
          task: 'tasks.semantic_search',
          schedule: { minute: '0', hour: '3' },
          args: ['moon'],
          options: { priority: 3 },
        },
        often: { task: 'semantic_search', schedule: 600, args: ['sun'] },
        sunset: { task: 'semantic_search', schedule: { event: 'sunset', lat: 1, lon: 1 } },
        unknown: { task: 'mine.task', schedule: 60 },
        wrong: { task: 'semantic_search', schedule: { hour: '25' }, args: ['x'] },
      }),
    );
    const run = (...more: string[]) => me.hapax(['schedules', 'import', file, '--time-zone', 'Europe/Berlin', ...more]);
    const dry = await run();
    expect([dry.code, dry.stdout.trimEnd().split('\n')]).toEqual([
      1,
      [
        'every-night (every night): would be made: task tasks.semantic_search, 0 3 * * *',
        'often: would be made: task semantic_search, every 10m00s',
        'sunset: refused: solar schedules are not supported; write the times that matter as cron',
        expect.stringMatching(/^unknown: refused: .*no worker has registered the task mine.task/),
        expect.stringMatching(/^wrong: refused: .*hour: "25" is not from 0 to 23/),
      ],
    ]);
    expect((await world.call('GET', '/schedules/often')).status).toBe(404);
    const made = await run('--apply', '--json');
    expect(made.json.schedules.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
      'made',
      'made',
      ...Array(3).fill('refused'),
    ]);
    expect(await schedule('every-night')).toMatchObject({
      cron: ['0 3 * * *'],
      time_zone: 'Europe/Berlin',
      task: { priority: 3 },
    });

    const listed = await me.hapax(['schedules', 'list']);
    expect(listed.stdout).toMatch(/every-night +active +task tasks\.semantic_search +0 3 \* \* \*/);
    const next = await me.hapax(['schedules', 'next', 'every-night']);
    expect(next.stdout.trimEnd().split('\n')).toHaveLength(10);
    expect(next.stdout).toMatch(/^\w{3} \d{4}-\d\d-\d\d 03:00:00 Europe\/Berlin {2}\S+Z$/m);
    expect((await me.hapax(['schedules', 'trigger', 'often'])).stdout).toMatch(/^task:/);
    expect((await me.hapax(['schedules', 'pause', 'often', '--note', 'x'])).stdout).toBe('schedule often: paused\n');
    expect((await me.hapax(['schedules', 'show', 'often'])).stdout).toMatch(
      /status +paused \(x\)[\s\S]*fired {2}\S+ {2}task:/,
    );
    expect((await me.hapax(['schedules', 'delete', 'often', '--yes'])).stdout).toBe('schedule often: deleted\n');
    const set = await me.hapax(['schedules', 'set', 'weekly', '--config', 'default', '--cron', '0 3 * * SUN']);
    expect(set.stdout).toMatch(/^schedule weekly, version 1: build default, 0 3 \* \* SUN\nSun /);
  } finally {
    me.remove();
  }
});

it('records the times before its end that an outage outlasted', async () => {
  const now = Math.floor(Date.now() / 60_000);
  const minutesAgo = (minutes: number) => new Date((now - minutes) * 60_000).toISOString();
  const [down, end] = [minutesAgo(10), minutesAgo(5)];
  const every = { build: YEARLY.build, intervals: [{ every_seconds: 60 }], catch_up_seconds: 10 };
  await put('outlasted', { ...every, end_at: end });
  await world.db`UPDATE schedules SET accounted_until = ${down} WHERE id = 'outlasted'`;
  expect((await reconcile()).lines).toContain('schedule:outlasted was not fired at some of its times: recorded');
  const missed = (await eventsOf('outlasted')).filter(({ event_type }) => event_type === 'schedule_missed');
  expect(missed.flatMap(({ event_data }) => event_data!.times)).toEqual([9, 8, 7, 6, 5].map(minutesAgo));
  expect((await reconcile()).lines.at(-1)).toBe('0 differ, 0 could not be repaired');
});
