import { LIMITS } from '../../contracts/budgets.ts';
import type { ScheduleDefinition } from '../../contracts/schedules/schedule.ts';
import { type ReadCron, readCalendar, readCron, shortestGapSeconds } from './cron.ts';

interface Fault {
  path: string;
  message: string;
}

/** Finds faults of a schedule beyond the form of its fields, each with its place. */
export function definitionFaults(definition: ScheduleDefinition): Fault[] {
  const { build, builds, task, cron, intervals, calendars, except, start_at, end_at, overlap } = definition;
  const faults: Fault[] = [];
  const fault = (path: string, message: string) => faults.push({ path, message });
  if ([build, builds, task].filter(Boolean).length !== 1)
    fault('build', 'exactly one of build, builds and task is needed');
  if (cron.length + intervals.length + calendars.length === 0) {
    fault('cron', 'at least one of cron, intervals and calendars is needed');
  }
  for (const [index, text] of cron.entries()) faults.push(...timeFaults(`cron.${index}`, readCron(text)));
  for (const [index, one] of calendars.entries()) faults.push(...timeFaults(`calendars.${index}`, readCalendar(one)));
  for (const [index, one] of except.entries()) {
    const read = readCalendar(one);
    if ('fault' in read) fault(`except.${index}`, read.fault);
  }
  for (const [index, { every_seconds, offset_seconds }] of intervals.entries()) {
    if (offset_seconds >= every_seconds) fault(`intervals.${index}.offset_seconds`, 'must be less than every_seconds');
  }
  if (overlap === 'buffer_one' && builds) {
    fault('overlap', 'buffer_one needs a single build or task; give the configurations the concurrency queue instead');
  }
  if (start_at && end_at && Date.parse(end_at) <= Date.parse(start_at)) fault('end_at', 'must be after start_at');
  const zone = zoneFault(definition.time_zone);
  if (zone) fault('time_zone', zone);
  return faults;
}

function timeFaults(path: string, read: ReadCron): Fault[] {
  if ('fault' in read) return [{ path, message: read.fault }];
  const { shortestSeconds } = LIMITS.schedules;
  if (shortestGapSeconds(read.matches) >= shortestSeconds) return [];
  return [{ path, message: `two times must be at least ${shortestSeconds} seconds apart` }];
}

/** A time zone as the IANA writes it. Intl also accepts any case and offsets; Temporal accepts neither. */
const ZONE = /^[A-Z][A-Za-z0-9_+-]*(\/[A-Z][A-Za-z0-9_+-]*)*$/;

function zoneFault(zone: string): string | undefined {
  try {
    const known = new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone;
    if (ZONE.test(zone) && (known.toLowerCase() !== zone.toLowerCase() || known === zone)) return undefined;
    return `"${zone}" must be written as the IANA does, for example ${ZONE.test(known) ? known : 'Etc/GMT-2'}`;
  } catch {
    return `"${zone}" is not the name of a time zone, for example Europe/Berlin`;
  }
}
