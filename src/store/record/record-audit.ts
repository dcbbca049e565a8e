import type { ChainFault } from '../../domain/record/hash.ts';
import type { LogAudit } from '../../domain/record/log-audit.ts';
import type { Db } from '../database.ts';
import { scanEventsByStream } from './event-scan-by-stream.ts';
import { compareRows, differenceFault } from './projection-compare.ts';
import { StreamFold } from './stream-fold.ts';
import { type AnyStreamKind, type ProjectionRow, streamOf } from './stream-kind.ts';
import { STREAM_KINDS } from './stream-kinds.ts';

/** How many rows of one kind are compared with the projection at once. */
const ROWS = 500;

export interface StreamFault extends ChainFault {
  stream: string;
}

/**
 * Recomputes every hash chain of the record and the state of each stream, and compares the states with the projections. So
 * it also finds a stream whose end was removed. Needs a snapshot: an event appended meanwhile would look like a fault.
 */
export async function* auditRecord(snapshot: Db, audit: LogAudit): AsyncGenerator<StreamFault> {
  const fold = new StreamFold();
  const rows = new Map<AnyStreamKind, ProjectionRow[]>(STREAM_KINDS.map((kind) => [kind, []]));
  let stream = '';
  let sound = true;
  async function* take(): AsyncGenerator<StreamFault> {
    const unsound = sound ? fold.end() : undefined;
    if (unsound) yield { stream, ...unsound };
    const folded = sound && !unsound ? fold.row() : undefined;
    if (!folded) return;
    const { kind, row } = folded;
    const waiting = [...(rows.get(kind) ?? []), row];
    rows.set(kind, waiting.length === ROWS ? [] : waiting);
    if (waiting.length === ROWS) yield* differences(snapshot, audit, kind, waiting);
  }
  for await (const event of scanEventsByStream(snapshot)) {
    if (event.stream !== stream) {
      yield* take();
      stream = event.stream;
      sound = true;
    }
    const fault = audit.add(event) ?? fold.add(event);
    if (!fault) continue;
    sound = false;
    yield { stream, ...fault };
  }
  yield* take();
  for (const [kind, waiting] of rows) {
    yield* differences(snapshot, audit, kind, waiting);
    for (const { id, last_seq } of await listRowsWithoutEvents(snapshot, kind)) {
      const fault = `event 1 is missing: the stored state goes up to event ${last_seq}`;
      yield { stream: streamOf(kind, id), seq: 1, fault };
    }
  }
}

async function* differences(
  snapshot: Db,
  audit: LogAudit,
  kind: AnyStreamKind,
  rows: ProjectionRow[],
): AsyncGenerator<StreamFault> {
  for (const difference of await compareRows(snapshot, kind, rows)) {
    const stream = streamOf(kind, difference.id);
    yield { stream, ...differenceFault(difference, audit.heads.of(stream)) };
  }
}

function listRowsWithoutEvents(snapshot: Db, { name, table }: AnyStreamKind) {
  return snapshot<Array<{ id: string; last_seq: number }>>`
    SELECT id::text, last_seq FROM ${snapshot(table)} AS projected
    WHERE NOT EXISTS (SELECT FROM events WHERE stream = ${`${name}:`}::text || projected.id) ORDER BY projected.id`;
}
