import { html } from 'hono/html';
import type { Html, View } from '../view.ts';

const DAY_MS = 86_400_000;

const formats = new Map<string, { day: Intl.DateTimeFormat; clock: Intl.DateTimeFormat }>();

function formatsOf(timeZone: string) {
  let found = formats.get(timeZone);
  if (!found) {
    found = {
      day: new Intl.DateTimeFormat('en-GB', { timeZone, day: 'numeric', month: 'short', year: 'numeric' }),
      clock: new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', second: '2-digit' }),
    };
    // There are some hundreds of zones. Not all need to be kept.
    if (formats.size > 50) formats.clear();
    formats.set(timeZone, found);
  }
  return found;
}

/**
 * Returns a time in the browser's time zone, with UTC on hover. It leaves out today's date, and the current year. If the zone is unknown
 * (on the first page, and without JavaScript), it is UTC and says so.
 */
export function time(view: View, iso: string | null | undefined): Html {
  if (iso === null || iso === undefined) return html`<span class="none">–</span>`;
  const at = new Date(iso);
  const utc = at.toISOString().replace('T', ' ').replace('Z', ' UTC');
  return html`<time datetime="${at.toISOString()}" title="${utc}">${localTime(view, at)}</time>`;
}

function localTime({ timeZone, now }: View, at: Date): string {
  const { day, clock } = formatsOf(timeZone);
  const [date, today] = [day.format(at), day.format(now)];
  const year = today.slice(-5);
  const shown = date === today ? '' : `${date.endsWith(year) ? date.slice(0, -5) : date}, `;
  return `${shown}${clock.format(at)}${timeZone === 'UTC' ? ' UTC' : ''}`;
}

/** Returns how long something takes or took, in its two largest units: `2h 05m`. @param ms null or undefined if unknown. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return '–';
  const positive = Math.max(0, ms);
  if (positive < 1_000) return `${Math.round(positive)} ms`;
  if (positive < 60_000) return `${(Math.floor(positive / 100) / 10).toFixed(positive < 10_000 ? 1 : 0)} s`;
  const minutes = Math.floor(positive / 60_000);
  if (minutes < 60) return `${minutes}m ${two(Math.floor((positive % 60_000) / 1_000))}s`;
  const hours = Math.floor(minutes / 60);
  if (positive < 2 * DAY_MS) return `${hours}h ${two(minutes % 60)}m`;
  return `${Math.floor(hours / 24)}d ${two(hours % 24)}h`;
}

/** Returns the time between two instants; up to now if the second is missing. */
export function between(view: View, from: string | null | undefined, to: string | null | undefined): string {
  if (from === null || from === undefined) return '–';
  return duration((to ? Date.parse(to) : view.now) - Date.parse(from));
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** Returns a whole number for people: `12,345`. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** Returns a number with its noun: `1 build`, `2 builds`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Returns how many match, as far as they were counted: `512 tasks`, `10,000 or more`. */
export function countOf({ value, exact }: { value: number; exact: boolean }, one: string): string {
  return exact ? counted(value, one) : `${count(value)} or more ${one}s`;
}
