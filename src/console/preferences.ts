import { getCookie, setCookie } from 'hono/cookie';
import { type ConsoleContext, THEMES, type Theme } from './view.ts';

/** Cookies that the pages' script also writes. They contain no secret. */
const THEME = 'hapax_theme';
const TIME_ZONE = 'hapax_tz';

const YEAR_SECONDS = 31_536_000;

export function themeOf(c: ConsoleContext): Theme {
  return asTheme(getCookie(c, THEME));
}

export function keepTheme(c: ConsoleContext, base: string, theme: string | undefined): void {
  setCookie(c, THEME, asTheme(theme), { path: base, sameSite: 'Lax', maxAge: YEAR_SECONDS });
}

function asTheme(text: string | undefined): Theme {
  return THEMES.find((one) => one === text) ?? 'auto';
}

const known = new Map<string, boolean>([['UTC', true]]);
/** How many names of zones are remembered. Browsers send few different ones. */
const MOST_ZONES = 1_000;

/** Returns the time zone that the browser states; UTC if it states none or an invalid one. */
export function timeZoneOf(c: ConsoleContext): string {
  const zone = getCookie(c, TIME_ZONE);
  if (zone === undefined || zone.length > 64) return 'UTC';
  let sound = known.get(zone);
  if (sound === undefined) {
    sound = isTimeZone(zone);
    if (known.size < MOST_ZONES) known.set(zone, sound);
  }
  return sound ? zone : 'UTC';
}

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
