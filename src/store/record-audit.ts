import { sql } from 'drizzle-orm';
import type { ChainFault } from '../domain/hash.ts';
import type { LogAudit } from '../domain/log-audit.ts';
import { compareBuilds, differenceFault } from './build-compare.ts';
import { BuildFold } from './build-fold.ts';
import type { BuildRow } from './build-row.ts';
import type { Db } from './database.ts';
import { buildStream } from './event-append.ts';
import { scanEventsByStream } from './event-scan-by-stream.ts';

/** Rows that are compared with the projection at once. */
const ROWS = 500;

export interface StreamFault extends ChainFault {
  stream: string;
}

/**
 * Recomputes every chain of the record and what each build adds up to, and compares that with the projection: so a
 * removed end shows too. Give it a snapshot, or what is appended meanwhile looks like a fault.
 */
export async function* auditRecord(snapshot: Db, audit: LogAudit): AsyncGenerator<StreamFault> {
  const fold = new BuildFold();
  let rows: BuildRow[] = [];
  let stream = '';
  let sound = true;
  for await (const event of scanEventsByStream(snapshot)) {
    if (event.stream !== stream) {
      const row = sound ? fold.row() : undefined;
      if (row) rows.push(row);
      if (rows.length === ROWS) {
        yield* differences(snapshot, audit, rows);
        rows = [];
      }
      stream = event.stream;
      sound = true;
    }
    const fault = audit.add(event) ?? (isOfBuild(stream) ? fold.add(event) : undefined);
    if (!fault) continue;
    sound = false;
    yield { stream, ...fault };
  }
  const last = sound ? fold.row() : undefined;
  yield* differences(snapshot, audit, last ? [...rows, last] : rows);
  for (const { id, last_seq } of await listBuildsWithoutEvents(snapshot)) {
    const fault = `event 1 is missing: the projection goes up to event ${last_seq}`;
    yield { stream: buildStream(Number(id)), seq: 1, fault };
  }
}

function isOfBuild(stream: string): boolean {
  return stream.startsWith('build:');
}

async function* differences(snapshot: Db, audit: LogAudit, rows: BuildRow[]): AsyncGenerator<StreamFault> {
  for (const difference of rows.length > 0 ? await compareBuilds(snapshot, rows) : []) {
    const stream = buildStream(difference.id);
    yield { stream, ...differenceFault(difference, audit.heads.of(stream)) };
  }
}

function listBuildsWithoutEvents(snapshot: Db) {
  return snapshot.execute<{ id: string; last_seq: number }>(sql`
    SELECT id, last_seq FROM builds WHERE NOT EXISTS (SELECT FROM events WHERE stream = 'build:' || builds.id) ORDER BY id`);
}
