import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import postgres from 'postgres';
import type { BuildEvent, RecordedEvent } from '../src/contracts/builds/event.ts';
import { type Build, evolve } from '../src/domain/builds/build.ts';
import { canonicalJson, eventHash, GENESIS } from '../src/domain/record/hash.ts';
import { type BuildRow, rowOfBuild } from '../src/store/builds/build-row.ts';
import { buildStream } from '../src/store/builds/build-stream.ts';

/** Builds that one transaction writes, and how many of these run at once. */
const BATCH = 2_000;
const WRITERS = 6;

/** Writes the whole record of so many builds that succeeded, ids from 1, as appending it event by event would have left it. */
export async function recordBuilds(url: string, count: number): Promise<void> {
  const sql = postgres(url, { max: WRITERS, onnotice: () => {} });
  let next = 1;
  const write = async () => {
    while (next <= count) {
      const first = next;
      next += BATCH;
      const told = toldBuilds(first, Math.min(first + BATCH - 1, count));
      await sql.begin(async (tx) => {
        await copyInto(tx, 'events', EVENT_COLUMNS, told.events);
        await copyInto(tx, 'builds', PATTERN.columns, told.rows);
      });
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
  await sql`SELECT setval('build_ids', ${count})`;
  await sql.end();
}

async function copyInto(tx: postgres.TransactionSql, table: string, columns: readonly string[], lines: string[]) {
  const copy = await tx.unsafe(`COPY ${table} (${columns.join(', ')}) FROM STDIN`).writable();
  await pipeline(Readable.from([lines.join('')]), copy);
}

/** Lines of COPY for the events of these builds, and for the rows they add up to. */
function toldBuilds(first: number, last: number): { events: string[]; rows: string[] } {
  const events: string[] = [];
  const rows: string[] = [];
  for (let id = first; id <= last; id++) {
    const values = valuesOf(id);
    for (const { hashed, line } of PATTERN.events) {
      values.push(createHash('sha256').update(fill(hashed, values)).digest('hex'));
      events.push(fill(line, values));
    }
    rows.push(fill(PATTERN.row, values));
  }
  return { events, rows };
}

/** Events of one build and the row they add up to. */
function recordOf(id: number): { events: ToldEvent[]; row: BuildRow } {
  const events: ToldEvent[] = [];
  let head = GENESIS;
  let build: Build | undefined;
  for (const event of storyOf(id)) {
    const next = evolve(build, event);
    const body = {
      stream: buildStream(id),
      seq: head.seq + 1,
      type: event.type,
      from_status: build && build.status !== next.status ? build.status : null,
      to_status: build?.status !== next.status ? next.status : null,
      data: event.data as Record<string, unknown>,
      occurred_at: event.occurred_at,
      recorded_at: event.occurred_at,
      dedupe_key: event.dedupe_key,
      previous_hash: head.hash,
    };
    head = { seq: body.seq, hash: eventHash(body) };
    events.push({ ...body, hash: head.hash });
    build = next;
  }
  return { events, row: rowOfBuild(build as Build, head) };
}

type ToldEvent = Omit<RecordedEvent, 'position'>;

/** What differs between two builds, as text. The hashes of the events follow. */
function valuesOf(id: number): string[] {
  return [...SECONDS.map((second) => at(id, second)), keyOf(id), String(runOf(id)), String(id)];
}

/** Text in which the values of a build stand at the odd places, as their numbers in `valuesOf`. */
type Pattern = Array<string | number>;

function fill(pattern: Pattern, values: readonly string[]): string {
  let text = '';
  for (const part of pattern) text += typeof part === 'number' ? values[part] : part;
  return text;
}

const EVENT_COLUMNS = [
  ...(['stream', 'seq', 'type', 'from_status', 'to_status', 'data', 'occurred_at', 'recorded_at'] as const),
  ...(['dedupe_key', 'previous_hash', 'hash'] as const),
];

/** Patterns of the record of a build, made from one, because hashing millions of events in full would take an hour. */
function patternOf(sample: number) {
  const { events, row } = recordOf(sample);
  const values = [...valuesOf(sample), ...events.map(({ hash }) => hash)];
  const longestFirst = values.toSorted((one, other) => other.length - one.length);
  const split = new RegExp(`(${longestFirst.join('|')})`);
  const patternFrom = (text: string): Pattern =>
    text.split(split).map((part, place) => (place % 2 === 1 ? values.indexOf(part) : part));
  return {
    columns: Object.keys(row),
    row: patternFrom(copyLine(Object.values(row))),
    events: events.map((event) => {
      const { hash: _hash, ...hashed } = event;
      return {
        hashed: patternFrom(canonicalJson(hashed)),
        line: patternFrom(copyLine(EVENT_COLUMNS.map((column) => event[column]))),
      };
    }),
  };
}

/** A line of COPY in its text format. */
function copyLine(fields: readonly unknown[]): string {
  const texts = fields.map((value) => {
    if (value === null) return '\\N';
    return (typeof value === 'object' ? JSON.stringify(value) : String(value)).replaceAll('\\', '\\\\');
  });
  return `${texts.join('\t')}\n`;
}

export const EVENTS_PER_BUILD = 7;

/** What is told of a build that succeeds, from its first event to its last. */
export function storyOf(id: number): BuildEvent[] {
  const key = keyOf(id);
  const run = {
    workflow_run_id: runOf(id),
    run_url: `https://github.com/octocat/fedora-images/actions/runs/${id}`,
  };
  const polled = { run_attempt: 1, learned_from: 'poll', request_id: key.slice(0, 24) } as const;
  const inputs = { image_type: 'fedora-sway-atomic', fedora_version: '43' };
  return [
    {
      type: 'build_queued',
      data: {
        build_id: id,
        ...{ workflow_id: `build-${key}`, request_key: key, fingerprint: key, keyed: false },
        ...{ dedup_until: at(id, 300), caller: 'local', config_id: 1, config_version: 1, priority: 3, ...inputs },
        request: { repository: 'octocat/fedora-images', workflow: 'build.yml', ref: `bench-${id}`, inputs },
      },
      ...{ occurred_at: at(id, 0), dedupe_key: 'queued' },
    },
    { type: 'build_started', data: {}, occurred_at: at(id, 0), dedupe_key: 'started' },
    {
      type: 'dispatch_intended',
      data: {
        attempt: 1,
        token: `hapax-${id}-1-0123456789ab`,
        temporal_run_id: '6cf0a3e8-0000-4000-8000-000000000000',
      },
      ...{ occurred_at: at(id, 1), dedupe_key: 'dispatch:1:intended' },
    },
    {
      type: 'workflow_triggered',
      data: { attempt: 1, ...run, learned_from: 'dispatch', correlated: true, request_id: key.slice(0, 24) },
      ...{ occurred_at: at(id, 2), dedupe_key: 'triggered' },
    },
    {
      type: 'run_updated',
      data: { run_status: 'queued', ...polled },
      occurred_at: at(id, 3),
      dedupe_key: 'run:1:1:queued',
    },
    {
      type: 'run_updated',
      data: { run_status: 'in_progress', ...polled },
      ...{ occurred_at: at(id, 30), dedupe_key: 'run:2:1:in_progress' },
    },
    {
      type: 'build_completed',
      data: { conclusion: 'success', ...polled },
      ...{ occurred_at: at(id, 900), dedupe_key: 'completed' },
    },
  ];
}

/** Seconds from the beginning of a build at which something of it is. */
const SECONDS = [0, 1, 2, 3, 30, 300, 900];

function at(id: number, second: number): string {
  return new Date(Date.UTC(2026, 0, 1) + (id + second) * 1_000).toISOString();
}

function keyOf(id: number): string {
  return id.toString(16).padStart(64, '0');
}

function runOf(id: number): number {
  return 10_000_000_000 + id;
}

/** An id whose digits are in nothing else of its record. */
const PATTERN = patternOf(918_273_645);
