import { describe, expect, it } from 'vitest';
import { scheduleBody } from '../../src/contracts/schedules/schedule.ts';
import { readCron, shortestGapSeconds } from '../../src/domain/schedules/cron.ts';
import { definitionFaults } from '../../src/domain/schedules/definition.ts';
import { matchesPattern } from '../../src/domain/schedules/name-pattern.ts';

const faultsOf = (body: object) =>
  definitionFaults(scheduleBody.parse(body)).map(({ path, message }) => `${path}: ${message}`);
const build = { config: 'default' };

describe('a bad cron expression is refused by what is wrong with it', () => {
  it.for([
    ['* * * *', 'it has 4 fields; it must have 5, 6 with the year, or 7 with year and second'],
    ['', 'it has 0 fields; it must have 5, 6 with the year, or 7 with year and second'],
    ['61 * * * *', 'minute: "61" is not from 0 to 59'],
    ['0 25 * * *', 'hour: "25" is not from 0 to 23'],
    ['0 3 * * FRI-MON', 'day of week: "FRI-MON" ends before it begins; write two ranges with a comma'],
    ['0 3 * 13 *', 'month: "13" is not from 1 to 12, or a name of three letters or more'],
    ['*/0 * * * *', 'minute: the step in "*/0" is not a number from 1'],
    ['1,,2 * * * *', 'minute: a value is missing'],
    ['0 3 L * *', 'day of month: "L" is not supported; use * or values'],
    ['0 3 ? * MON', 'day of month: "?" is not supported; use * or values'],
    ['1-2-3 * * * *', 'minute: "1-2-3" has more than one -'],
    ['TZ=Europe/Berlin 0 3 * * *', 'a time zone is not a part of it; use time_zone'],
    ['@every 5s', '@every is not supported; use intervals'],
    ['@reboot', '@reboot is none of @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly'],
    ['0 3 * * * # backup', '# is not supported; use note for a comment'],
  ])('%s', ([text, fault]) => {
    expect(readCron(text!)).toEqual({ fault });
  });
});

describe('a schedule that can never be meant is refused', () => {
  it.for([
    [{ cron: ['@daily'] }, ['build: exactly one of build, builds and task is needed']],
    [{ build }, ['cron: at least one of cron, intervals and calendars is needed']],
    [{ build, cron: ['* * * * * * *'] }, ['cron.0: two times must be at least 2 seconds apart']],
    [
      { build, cron: ['@daily'], time_zone: 'Nowhere/X' },
      ['time_zone: "Nowhere/X" is not the name of a time zone, for example Europe/Berlin'],
    ],
    [
      { build, cron: ['@daily'], time_zone: 'europe/berlin' },
      ['time_zone: "europe/berlin" must be written as the IANA does, for example Europe/Berlin'],
    ],
    [
      { build, cron: ['@daily'], time_zone: '+02:00' },
      ['time_zone: "+02:00" must be written as the IANA does, for example Etc/GMT-2'],
    ],
    [
      { build, intervals: [{ every_seconds: 60, offset_seconds: 60 }] },
      ['intervals.0.offset_seconds: must be less than every_seconds'],
    ],
    [
      { build, cron: ['@daily'], except: [{ month: 'Foo' }] },
      ['except.0: month: "Foo" is not from 1 to 12, or a name of three letters or more'],
    ],
    [
      { build, cron: ['@daily'], start_at: '2027-01-01T00:00:00Z', end_at: '2026-01-01T00:00:00Z' },
      ['end_at: must be after start_at'],
    ],
    [
      { builds: { configs: '*' }, cron: ['@daily'], overlap: 'buffer_one' },
      ['overlap: buffer_one needs a single build or task; give the configurations the concurrency queue instead'],
    ],
  ] as const)('%j', ([body, faults]) => {
    expect(faultsOf(body)).toEqual(faults);
  });

  it.for(['UTC', 'Europe/Berlin', 'US/Pacific', 'CET', 'Etc/GMT+5', 'America/Argentina/Buenos_Aires'])(
    'but not %s',
    (time_zone) => {
      expect(faultsOf({ build, cron: ['@daily'], time_zone })).toEqual([]);
    },
  );
});

it('measures the shortest time between two matches', () => {
  const gap = (cron: string) => {
    const read = readCron(cron);
    return 'matches' in read ? shortestGapSeconds(read.matches) : read.fault;
  };
  expect([gap('* * * * *'), gap('*/7 * * * * * *'), gap('0,59 * * * * * *'), gap('5,20 * * * * * *')]).toEqual([
    60, 4, 1, 15,
  ]);
});

it('matches names with * and ?, in a time that no pattern makes long', () => {
  expect(['fedora-*', '*-41', 'fedora-4?', '*', 'f*a*1'].map((one) => matchesPattern(one, 'fedora-41'))).toEqual(
    Array(5).fill(true),
  );
  expect(['fedora', '?', 'fedora-41?', ''].map((one) => matchesPattern(one, 'fedora-41'))).toEqual(
    Array(4).fill(false),
  );
  const startedAt = performance.now();
  expect(matchesPattern(`${'*a'.repeat(50)}b`, 'a'.repeat(100))).toBe(false);
  expect(performance.now() - startedAt).toBeLessThan(100);
});
