import type { Db } from '../database.ts';
import { scheduleStream } from './schedule-stream.ts';

/** Returns the dedupe key of the event that says what became of a scheduled time. There is at most one. */
export function timeKey(time: string): string {
  return `time:${time}`;
}

/** Returns the dedupe key of the event that says that a scheduled time waits. */
export function waitingKey(time: string): string {
  return `waits:${time}`;
}

/** Returns which of these scheduled times are on record: fired, skipped, or waiting for the end of the previous build or task. */
export async function listKnownTimes(db: Db, name: string, times: readonly string[]): Promise<Set<string>> {
  if (times.length === 0) return new Set();
  const keys = times.flatMap((time) => [timeKey(time), waitingKey(time)]);
  const rows = await db<Array<{ dedupe_key: string }>>`
    SELECT dedupe_key FROM events WHERE stream = ${scheduleStream(name)} AND dedupe_key IN ${db(keys)}`;
  return new Set(rows.map(({ dedupe_key }) => dedupe_key.slice(dedupe_key.indexOf(':') + 1)));
}
