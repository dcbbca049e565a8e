const ISO =
  /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s?(Z|[+-]\d\d(?::?\d\d)?)?)?)?)?$/i;
const RFC_2822 =
  /^(?:[a-z]{3},\s*)?(\d{1,2})\s+([a-z]{3})\s+(\d{4})\s+(\d\d):(\d\d)(?::(\d\d))?\s+([+-]\d{4}|[a-z]{1,3})(?:\s+\(.*\))?$/i;

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** Hours that a zone is ahead of UTC. */
const ZONES: Record<string, number> = {
  ...{ z: 0, ut: 0, utc: 0, gmt: 0 },
  ...{ est: -5, edt: -4, cst: -6, cdt: -5, mst: -7, mdt: -6, pst: -8, pdt: -7 },
};

/**
 * Returns the instant that a page names, in ISO 8601 (without a zone in UTC) or as in e-mail (RFC 2822); null if it is in no such form.
 * `Date.parse` would guess: it takes "Chapter 7" for a day in July.
 */
export function publishedAtOf(text: string): string | null {
  const given = text.trim();
  const iso = ISO.exec(given);
  if (iso) {
    const [, year, month = '1', day = '1', hour = '0', minute = '0', second = '0', fraction = '0', zone = 'z'] = iso;
    return instantOf([year, month, day, hour, minute, second, `0.${fraction}`].map(Number), zone);
  }
  const [, day, name = '', year, hour, minute, second = '0', zone = ''] = RFC_2822.exec(given) ?? [];
  return instantOf([year, MONTHS.indexOf(name.toLowerCase()) + 1, day, hour, minute, second, 0].map(Number), zone);
}

/** Returns null if there is no such day, time or zone. */
function instantOf(given: number[], zone: string): string | null {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, fraction = 0] = given;
  const aheadMinutes = minutesAhead(zone.toLowerCase());
  const start = new Date(0);
  start.setUTCFullYear(year, month - 1, day);
  start.setUTCHours(hour, minute, second, Math.trunc(fraction * 1_000));
  const fields = [start.getUTCFullYear(), start.getUTCMonth() + 1, start.getUTCDate(), start.getUTCHours()];
  const isReal = [...fields, start.getUTCMinutes(), start.getUTCSeconds()].every((one, index) => one === given[index]);
  if (!isReal || aheadMinutes === undefined) return null;
  return new Date(start.getTime() - aheadMinutes * 60_000).toISOString();
}

function minutesAhead(zone: string): number | undefined {
  const [, sign, hours, minutes = '0'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  if (sign === undefined) return Object.hasOwn(ZONES, zone) ? ZONES[zone]! * 60 : undefined;
  const ahead = Number(hours) * 60 + Number(minutes);
  return Number(hours) > 23 || Number(minutes) > 59 ? undefined : sign === '-' ? -ahead : ahead;
}
