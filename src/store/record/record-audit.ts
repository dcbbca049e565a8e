import type { ChainFault } from '../../domain/record/hash.ts';
import type { LogAudit } from '../../domain/record/log-audit.ts';
import type { Db } from '../database.ts';
import { scanEventsByStream } from './event-scan-by-stream.ts';
import { compareRows, differenceFault } from './projection-compare.ts';
import { RowBatch } from './row-batch.ts';
import { StreamFold } from './stream-fold.ts';
import { type AnyStreamKind, streamOf } from './stream-kind.ts';
import { STREAM_KINDS } from './stream-kinds.ts';

export interface StreamFault extends ChainFault {
  stream: string;
}

/**
 * Recomputes every hash chain of the record and the state of each stream, and compares the states with the projections. So
 * it also finds a stream whose end was removed. Needs a snapshot: an event appended meanwhile would look like a fault.
 */
export async function* auditRecord(snapshot: Db, audit: LogAudit): AsyncGenerator<StreamFault> {
  const fold = new StreamFold();
  const batches = new Map<AnyStreamKind, RowBatch>(STREAM_KINDS.map((kind) => [kind, new RowBatch()]));
  let stream = '';
  let sound = true;
  async function* take(): AsyncGenerator<StreamFault> {
    const unsound = sound ? fold.end() : undefined;
    if (unsound) yield { stream, ...unsound };
    const folded = sound && !unsound ? fold.row() : undefined;
    if (!folded) return;
    const { kind, row } = folded;
    const batch = batches.get(kind)!;
    batch.add(JSON.stringify(row));
    if (batch.isFull) yield* differences(snapshot, audit, kind, batch.take());
  }
  for await (const event of scanEventsByStream(snapshot)) {
    if (event.stream !== stream) {
      yield* take();
      stream = event.stream;
      sound = true;
    }
    // What follows a fault does not fit the state before it: only the chain goes on.
    const fault = audit.add(event) ?? (sound ? fold.add(event) : undefined);
    if (!fault) continue;
    sound = false;
    yield { stream, ...fault };
  }
  yield* take();
  for (const [kind, batch] of batches) {
    yield* differences(snapshot, audit, kind, batch.take());
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
  rows: string,
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
