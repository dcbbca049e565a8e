import postgres from 'postgres';
import type { BuildEvent, RecordedEvent } from '../src/contracts/builds/event.ts';
import { type Build, evolve } from '../src/domain/builds/build.ts';
import { eventHash, GENESIS } from '../src/domain/record/hash.ts';
import { type BuildRow, rowOfBuild } from '../src/store/builds/build-row.ts';
import { buildStream } from '../src/store/builds/build-stream.ts';

const BATCH = 500;

/** Writes the whole record of so many builds that succeeded, ids from 1, as appending it event by event would have left it. */
export async function recordBuilds(url: string, count: number): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  for (let from = 1; from <= count; from += BATCH) {
    const ids = Array.from({ length: Math.min(BATCH, count + 1 - from) }, (_, n) => from + n);
    const told = ids.map(recordOf);
    await sql.begin(async (tx) => {
      await tx`
        INSERT INTO events (stream, seq, type, from_status, to_status, data, occurred_at, recorded_at, dedupe_key, previous_hash, hash)
        SELECT stream, seq, type, from_status, to_status, data, occurred_at, recorded_at, dedupe_key, previous_hash, hash
        FROM jsonb_populate_recordset(NULL::events, ${JSON.stringify(told.flatMap(({ events }) => events))}::text::jsonb)`;
      await tx`
        INSERT INTO builds SELECT * FROM jsonb_populate_recordset(NULL::builds, ${JSON.stringify(told.map(({ row }) => row))}::text::jsonb)`;
    });
  }
  await sql`SELECT setval('build_ids', ${count})`;
  await sql.end();
}

/** Events of one build and the row they add up to. */
function recordOf(id: number): { events: Omit<RecordedEvent, 'position'>[]; row: BuildRow } {
  const events: Omit<RecordedEvent, 'position'>[] = [];
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

export const EVENTS_PER_BUILD = 7;

/** What is told of a build that succeeds, from its first event to its last. */
export function storyOf(id: number): BuildEvent[] {
  const key = id.toString(16).padStart(64, '0');
  const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + id * 1_000 + second * 1_000).toISOString();
  const run = {
    workflow_run_id: 10_000_000_000 + id,
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
        ...{ dedup_until: at(300), caller: 'local', config_id: 1, config_version: 1, priority: 3, ...inputs },
        request: { repository: 'octocat/fedora-images', workflow: 'build.yml', ref: `bench-${id}`, inputs },
      },
      ...{ occurred_at: at(0), dedupe_key: 'queued' },
    },
    { type: 'build_started', data: {}, occurred_at: at(0), dedupe_key: 'started' },
    {
      type: 'dispatch_intended',
      data: {
        attempt: 1,
        token: `hapax-${id}-1-0123456789ab`,
        temporal_run_id: '6cf0a3e8-0000-4000-8000-000000000000',
      },
      ...{ occurred_at: at(1), dedupe_key: 'dispatch:1:intended' },
    },
    {
      type: 'workflow_triggered',
      data: { attempt: 1, ...run, learned_from: 'dispatch', correlated: true, request_id: key.slice(0, 24) },
      ...{ occurred_at: at(2), dedupe_key: 'triggered' },
    },
    {
      type: 'run_updated',
      data: { run_status: 'queued', ...polled },
      occurred_at: at(3),
      dedupe_key: 'run:1:1:queued',
    },
    {
      type: 'run_updated',
      data: { run_status: 'in_progress', ...polled },
      ...{ occurred_at: at(30), dedupe_key: 'run:2:1:in_progress' },
    },
    {
      type: 'build_completed',
      data: { conclusion: 'success', ...polled },
      ...{ occurred_at: at(900), dedupe_key: 'completed' },
    },
  ];
}
