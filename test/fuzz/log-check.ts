import { createHash } from 'node:crypto';

/** An event as the log holds it. Told apart from `RecordedEvent` on purpose: this file shares no code with what it checks. */
export interface LogRow {
  stream: string;
  seq: number;
  type: string;
  from_status: string | null;
  to_status: string | null;
  data: unknown;
  occurred_at: string;
  recorded_at: string;
  dedupe_key: string;
  previous_hash: string;
  hash: string;
}

/** Reads the log as these checks want it: times as the hashes have them. */
export const LOG_ROWS = `
  SELECT stream, seq::int, type, from_status, to_status, data, dedupe_key, previous_hash, hash,
    to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS occurred_at,
    to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS recorded_at
  FROM events`;

const ENDS = ['success', 'failure', 'cancelled'];
/** Which status may follow which (docs/architecture.md); a null begins. */
const MAY_FOLLOW: Readonly<Record<string, readonly string[]>> = {
  null: ['queued'],
  queued: ['in_progress', ...ENDS],
  in_progress: ENDS,
  // Retried, or run again in GitHub's own page.
  success: ['in_progress'],
  failure: ['queued', 'in_progress'],
  cancelled: ['in_progress'],
};

/** RFC 8785: keys in the order of their UTF-16 code units, no spaces, numbers and strings as JavaScript writes them. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(',')}}`;
}

/**
 * What is wrong with the streams of a log, as the page docs/architecture.md describes it: numbers without gaps, hashes,
 * dedupe keys told once, statuses that follow one another, one end, nothing of the run after it.
 */
export function faultsOfLog(rows: readonly LogRow[]): string[] {
  const streams = Map.groupBy(rows, ({ stream }) => stream);
  return [...streams.values()].flatMap((stream) => faultsOfStream(stream.toSorted((a, b) => a.seq - b.seq)));
}

function faultsOfStream(events: readonly LogRow[]): string[] {
  const faults: string[] = [];
  let previous = '0'.repeat(64);
  let status: string | null = null;
  const told = new Set<string>();
  for (const [index, row] of events.entries()) {
    const {
      stream,
      seq,
      type,
      from_status,
      to_status,
      data,
      occurred_at,
      recorded_at,
      dedupe_key,
      previous_hash,
      hash,
    } = row;
    const event = {
      stream,
      seq,
      type,
      from_status,
      to_status,
      data,
      occurred_at,
      recorded_at,
      dedupe_key,
      previous_hash,
    };
    const say = (fault: string) => faults.push(`${event.stream} event ${event.seq} (${event.type}): ${fault}`);
    if (event.seq !== index + 1) say(`stands where event ${index + 1} should`);
    if (event.previous_hash !== previous) say('does not continue the event before it');
    if (createHash('sha256').update(canonical(event)).digest('hex') !== hash)
      say('its hash is not that of what it says');
    if (told.has(event.dedupe_key)) say(`was told twice (${event.dedupe_key})`);
    told.add(event.dedupe_key);
    if (event.to_status !== null) {
      if (event.from_status !== status) say(`leaves ${event.from_status}, but the build was ${status}`);
      if (!MAY_FOLLOW[String(status)]?.includes(event.to_status)) say(`${event.to_status} cannot follow ${status}`);
      status = event.to_status;
    }
    previous = hash;
  }
  return faults;
}

/** The status that the events of a stream end in. */
export function lastStatus(events: readonly LogRow[]): string | null {
  return events.findLast(({ to_status }) => to_status !== null)?.to_status ?? null;
}
