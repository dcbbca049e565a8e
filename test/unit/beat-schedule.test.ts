import { expect, it } from 'vitest';
import { readBeatSchedule } from '../../src/cli/beat-schedule.ts';

const entryOf = (given: unknown) => readBeatSchedule({ nightly: given }, 'Europe/Berlin')[0]!;

it('reads an entry of beat_schedule with crontab, args and options', () => {
  const given = {
    task: 'tasks.ingest_url',
    schedule: { minute: '30', hour: '*/6', day_of_week: 'mon-fri' },
    args: ['https://example.com/'],
    kwargs: { tags: ['news'] },
    options: { queue: 'content', expires: 600, priority: 3 },
  };
  expect(entryOf(given).body).toEqual({
    task: {
      name: 'tasks.ingest_url',
      args: ['https://example.com/'],
      kwargs: { tags: ['news'] },
      queue: 'content',
      priority: 3,
      expires_seconds: 600,
    },
    cron: ['30 */6 * * mon-fri'],
    time_zone: 'Europe/Berlin',
    overlap: 'allow',
  });
  expect(entryOf({ task: 'x', schedule: 30 }).body?.intervals).toEqual([{ every_seconds: 30 }]);
  expect(entryOf({ task: 'x', schedule: { crontab: {} } }).body?.cron).toEqual(['* * * * *']);
});

it.for([
  [
    { task: 'x', schedule: { event: 'sunset', lat: 1, lon: 2 } },
    'solar schedules are not supported; write the times that matter as cron',
  ],
  [{ task: 'x', schedule: 1.5 }, 'every 1.5 s is no whole number of seconds'],
  [{ task: 'x', schedule: 'daily' }, 'schedule is neither a number of seconds nor the fields of a crontab'],
  [{ task: 'x', schedule: { minute: 0, second: 5 } }, 'it has in its crontab "second", which is not supported'],
  [{ task: 'x', schedule: 5, options: { countdown: 3 } }, 'it has the option "countdown", which is not supported'],
  [
    { task: 'x', schedule: 5, options: { expires: '2026-01-01' } },
    'expires is no number of seconds; a schedule has no single date',
  ],
  [{ task: 'x', schedule: 5, relative: true }, 'it has "relative", which is not supported'],
  [{ schedule: 5 }, 'task is not a name'],
  ['every day', 'it is no object'],
] as const)('refuses %j', ([given, fault]) => {
  expect(entryOf(given)).toEqual({ entry: 'nightly', name: 'nightly', fault });
});

it('makes names of schedules, and never two of one', () => {
  const given = { task: 'x', schedule: 5 };
  const entries = readBeatSchedule(
    { 'Every night!': given, 'every night': given, 'every  night': given, '!': given },
    'UTC',
  );
  expect(entries.map(({ name, fault }) => [name, fault])).toEqual([
    ['Every-night', undefined],
    ['every-night', undefined],
    ['every-night', 'another entry becomes every-night as well; rename one'],
    ['', 'its name has no letter or digit'],
  ]);
});
