import type { Calendar } from '../../contracts/schedules/schedule.ts';

/** The values at which each field of a calendar matches, in order. An empty list of years means every year. */
export interface Matches {
  second: number[];
  minute: number[];
  hour: number[];
  day_of_month: number[];
  month: number[];
  year: number[];
  /** 0 is Sunday. */
  day_of_week: number[];
}

/** The meaning of a cron text, or its fault in one line for the user. */
export type ReadCron = { matches: Matches } | { fault: string };

const MONTHS = 'january february march april may june july august september october november december'.split(' ');
const DAYS = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ');

interface Field {
  name: keyof Matches;
  /** Name for people. */
  title: string;
  first: number;
  last: number;
  names?: readonly string[];
}

const FIELDS: Record<keyof Matches, Field> = {
  second: { name: 'second', title: 'second', first: 0, last: 59 },
  minute: { name: 'minute', title: 'minute', first: 0, last: 59 },
  hour: { name: 'hour', title: 'hour', first: 0, last: 23 },
  day_of_month: { name: 'day_of_month', title: 'day of month', first: 1, last: 31 },
  month: { name: 'month', title: 'month', first: 1, last: 12, names: ['', ...MONTHS] },
  year: { name: 'year', title: 'year', first: 2000, last: 2100 },
  day_of_week: { name: 'day_of_week', title: 'day of week', first: 0, last: 7, names: DAYS },
};

const SHORTHANDS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/** Reads a cron expression of 5, 6 or 7 fields, or a shorthand, as Temporal does. */
export function readCron(text: string): ReadCron {
  const given = text.trim();
  if (/^(CRON_)?TZ=/.test(given)) return { fault: 'a time zone is not a part of it; use time_zone' };
  if (given.startsWith('@every')) return { fault: '@every is not supported; use intervals' };
  if (given.includes('#')) return { fault: '# is not supported; use note for a comment' };
  if (given.startsWith('@') && !SHORTHANDS[given]) {
    return { fault: `${given} is none of ${Object.keys(SHORTHANDS).join(', ')}` };
  }
  const fields = (SHORTHANDS[given] ?? given).split(/\s+/);
  if (fields.length < 5 || fields.length > 7 || given === '') {
    return {
      fault: `it has ${given === '' ? 0 : fields.length} fields; it must have 5, 6 with the year, or 7 with year and second`,
    };
  }
  const [second, ...others] = fields.length === 7 ? fields : ['0', ...fields];
  const [minute, hour, day_of_month, month, day_of_week, year = '*'] = others;
  return readCalendar({ second, minute, hour, day_of_month, month, year, day_of_week } as Calendar);
}

/** Reads the fields of a calendar, each in the syntax of cron. */
export function readCalendar(calendar: Calendar): ReadCron {
  const matches: Partial<Matches> = {};
  for (const field of Object.values(FIELDS)) {
    const read = readField(field, calendar[field.name]);
    if ('fault' in read) return read;
    matches[field.name] = read.values;
  }
  return { matches: matches as Matches };
}

/** Returns a calendar as a cron expression of seven fields. */
export function cronOf(calendar: Calendar): string {
  const { second, minute, hour, day_of_month, month, day_of_week, year } = calendar;
  return [second, minute, hour, day_of_month, month, day_of_week, year]
    .map((text) => text.replaceAll(/\s/g, ''))
    .join(' ');
}

/** Returns the shortest time between two matches that the seconds field allows. */
export function shortestGapSeconds({ second }: Matches): number {
  return Math.min(...second.map((value, index) => (second[index + 1] ?? second[0]! + 60) - value));
}

function readField(field: Field, text: string): { values: number[] } | { fault: string } {
  if (field.name === 'year' && text.trim() === '*') return { values: [] };
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const read = readPart(field, part.trim());
    if ('fault' in read) return { fault: `${field.title}: ${read.fault}` };
    const { first, last, step } = read;
    for (let value = first; value <= last; value += step) values.add(field.name === 'day_of_week' ? value % 7 : value);
  }
  return { values: [...values].sort((a, b) => a - b) };
}

type Part = { first: number; last: number; step: number } | { fault: string };

function readPart(field: Field, part: string): Part {
  const shown = `"${part.slice(0, 40)}"`;
  if (part === '') return { fault: 'a value is missing' };
  if (/^(\?|L|LW|W|\d+[LW])$/i.test(part)) return { fault: `${shown} is not supported; use * or values` };
  const [range = '', stepText, ...more] = part.split('/');
  if (more.length > 0) return { fault: `${shown} has more than one /` };
  if (stepText !== undefined && !/^[1-9]\d{0,3}$/.test(stepText))
    return { fault: `the step in ${shown} is not a number from 1` };
  const step = Number(stepText ?? 1);
  if (range === '*') return { first: field.first, last: field.name === 'day_of_week' ? 6 : field.last, step };
  const [from = '', to, ...rest] = range.split('-');
  if (rest.length > 0) return { fault: `${shown} has more than one -` };
  const first = numberOf(field, from);
  const end = to === undefined ? (stepText === undefined ? first : field.last) : numberOf(field, to);
  if (first === undefined || end === undefined) {
    const names = field.names ? ', or a name of three letters or more' : '';
    return { fault: `${shown} is not from ${field.first} to ${field.last}${names}` };
  }
  if (end < first) return { fault: `${shown} ends before it begins; write two ranges with a comma` };
  return { first, last: end, step };
}

function numberOf({ first, last, names = [] }: Field, text: string): number | undefined {
  if (/^\d{1,4}$/.test(text)) {
    const value = Number(text);
    return value >= first && value <= last ? value : undefined;
  }
  if (!/^[A-Za-z]{3,9}$/.test(text)) return undefined;
  const index = names.findIndex((name) => name.startsWith(text.toLowerCase()));
  return index === -1 ? undefined : index;
}
