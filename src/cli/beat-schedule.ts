import { LIMITS } from '../contracts/budgets.ts';
import type { ScheduleBody } from '../contracts/schedules/schedule.ts';
import { misuse } from './failure.ts';

/** An entry of `beat_schedule`: the schedule that it becomes, or why it cannot become one. */
export interface BeatEntry {
  /** Its name in Celery. */
  entry: string;
  name: string;
  body?: ScheduleBody;
  fault?: string;
}

type Fields = Record<string, unknown>;

/** Fields of `crontab`, in the order of a cron expression. */
const CRONTAB = ['minute', 'hour', 'day_of_month', 'month_of_year', 'day_of_week'] as const;
const OPTIONS = ['queue', 'expires', 'priority'];
const MEMBERS = ['task', 'schedule', 'args', 'kwargs', 'options'];

/** Returns what each entry of `beat_schedule` becomes. @throws {Failure} if this is not a beat_schedule at all. */
export function readBeatSchedule(json: unknown, timeZone: string): BeatEntry[] {
  if (!isObject(json)) throw misuse('beat_schedule must be an object of entries by their names');
  const entries = Object.entries(json);
  const most = LIMITS.schedules.beatEntries;
  if (entries.length > most) throw misuse(`beat_schedule has more than ${most} entries`);
  const taken = new Set<string>();
  return entries.map(([entry, given]) => {
    const name = nameOf(entry);
    try {
      if (name === '') throw new Error('its name has no letter or digit');
      if (taken.has(name)) throw new Error(`another entry becomes ${name} as well; rename one`);
      taken.add(name);
      return { entry, name, body: bodyOf(given, timeZone) };
    } catch (error) {
      return { entry, name, fault: (error as Error).message };
    }
  });
}

/** Returns the name of the schedule. Names are part of URLs, so other characters become hyphens. */
function nameOf(entry: string): string {
  return entry
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replaceAll(/^[^A-Za-z0-9]+|-+$/g, '')
    .slice(0, LIMITS.schedules.nameCharacters);
}

function bodyOf(given: unknown, timeZone: string): ScheduleBody {
  if (!isObject(given)) throw new Error('it is no object');
  const { task, schedule, args = [], kwargs = {}, options = {} } = given;
  refuseUnknown(given, MEMBERS, 'has');
  if (typeof task !== 'string') throw new Error('task is not a name');
  if (!Array.isArray(args)) throw new Error('args is not a list');
  if (!isObject(kwargs)) throw new Error('kwargs is no object');
  if (!isObject(options)) throw new Error('options is no object');
  refuseUnknown(options, OPTIONS, 'has the option');
  const { queue, expires, priority } = options;
  if (expires !== undefined && typeof expires !== 'number') {
    throw new Error('expires is no number of seconds; a schedule has no single date');
  }
  return {
    task: {
      name: task,
      args,
      kwargs,
      ...(queue === undefined ? {} : { queue: queue as never }),
      ...(priority === undefined ? {} : { priority: priority as number }),
      ...(expires === undefined ? {} : { expires_seconds: expires }),
    },
    ...timesOf(schedule),
    time_zone: timeZone,
    // As in Celery, which never asks whether the last one has ended.
    overlap: 'allow',
  };
}

function timesOf(schedule: unknown): Pick<ScheduleBody, 'cron' | 'intervals'> {
  if (typeof schedule === 'number') {
    if (!Number.isInteger(schedule)) throw new Error(`every ${schedule} s is no whole number of seconds`);
    return { intervals: [{ every_seconds: schedule }] };
  }
  if (!isObject(schedule)) throw new Error('schedule is neither a number of seconds nor the fields of a crontab');
  if ('event' in schedule || 'solar' in schedule || 'lat' in schedule) {
    throw new Error('solar schedules are not supported; write the times that matter as cron');
  }
  const fields = isObject(schedule.crontab) ? schedule.crontab : schedule;
  refuseUnknown(fields, [...CRONTAB], 'has in its crontab');
  const cron = CRONTAB.map((field) => String(fields[field] ?? '*').replaceAll(/\s/g, '')).join(' ');
  return { cron: [cron] };
}

function refuseUnknown(given: Fields, known: readonly string[], has: string): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`it ${has} "${unknown.slice(0, 50)}", which is not supported`);
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
