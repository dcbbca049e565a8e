import type { ChainFault } from '../../domain/record/hash.ts';
import { type Db, inTransaction } from '../database.ts';
import { scanEventsByStream } from './event-scan-by-stream.ts';
import { RowBatch } from './row-batch.ts';
import { StreamFold } from './stream-fold.ts';
import type { AnyStreamKind } from './stream-kind.ts';

/** How many streams go into one query. */
const BATCH = 500;

export interface Rebuilt {
  rows: number;
  events: number;
  /** Rows that were missing or differed from what the events add up to. */
  corrected: number;
  /** Rows of streams that have no events. */
  removed: number;
}

/**
 * Rebuilds the projection of a kind of streams from the log, in one transaction, while others read and append. First it
 * folds all streams into a table `rebuilt` beside the projection. Then appends wait: under a lock, it folds only the
 * streams that grew meanwhile again, and replaces rows that differ. Readers see the old rows until the end.
 * @throws if an event cannot follow those before it; then nothing is changed.
 */
export function rebuildProjection(db: Db, kind: AnyStreamKind): Promise<Rebuilt> {
  const { name, table } = kind;
  const prefix = `${name}:`;
  return inTransaction(db, async (tx) => {
    await tx`CREATE TEMPORARY TABLE rebuilt (LIKE ${tx(table)}, PRIMARY KEY (id)) ON COMMIT DROP`;
    // Data may be erased between two reads of one stream, which then looks faulty. Such a stream is folded again under the lock.
    let events = await foldInto(tx, table, { prefix }, () => {});
    await tx`ANALYZE rebuilt`;
    // Every append writes to both tables in one statement. Under this lock none is running, and all earlier ones are visible.
    await tx`LOCK TABLE ${tx(table)} IN SHARE ROW EXCLUSIVE MODE`;
    for (let grown = await listGrown(tx, prefix); grown.length > 0; grown = await listGrown(tx, prefix)) {
      await tx`DELETE FROM rebuilt USING jsonb_array_elements_text(${JSON.stringify(grown)}::jsonb) AS stream WHERE ${prefix}::text || id = stream`;
      events += await foldInto(tx, table, { streams: grown }, (fault) => {
        throw new Error(`${fault}; run \`hapax audit verify\``);
      });
    }
    const [counts] = await tx<Array<Record<'rows' | 'removed', number>>>`
      SELECT (SELECT count(*) FROM rebuilt) AS rows,
        (SELECT count(*) FROM ${tx(table)} AS existing
         WHERE NOT EXISTS (SELECT FROM rebuilt WHERE rebuilt.id = existing.id)) AS removed`;
    // Removes wrong rows before it inserts right ones: a wrong row may hold a unique key of a right one.
    await tx`
      DELETE FROM ${tx(table)} AS existing WHERE NOT EXISTS
        (SELECT FROM rebuilt WHERE rebuilt.id = existing.id AND rebuilt *= existing)`;
    const { count: corrected } = await tx`
      INSERT INTO ${tx(table)} SELECT * FROM rebuilt
      WHERE NOT EXISTS (SELECT FROM ${tx(table)} AS existing WHERE existing.id = rebuilt.id)`;
    return { ...counts!, events, corrected };
  });
}

/** Says whether this login may rebuild: the role that processes act as may not remove rows. */
export async function mayRebuild(db: Db): Promise<boolean> {
  const [row] = await db<Array<{ may: boolean }>>`SELECT has_table_privilege('builds', 'DELETE') AS may`;
  return row?.may === true;
}

/** @param onFault is called with what is wrong with a stream. It gets no row. */
async function foldInto(
  tx: Db,
  table: string,
  of: { prefix?: string; streams?: string[] },
  onFault: (fault: string) => void,
): Promise<number> {
  const fold = new StreamFold();
  const rows = new RowBatch();
  let stream = '';
  let isFaulty = false;
  let events = 0;
  const flush = () =>
    tx`INSERT INTO rebuilt SELECT * FROM jsonb_populate_recordset(NULL::${tx(table)}, ${rows.take()}::jsonb)`;
  const check = (fault: ChainFault | undefined) => {
    if (!fault) return;
    isFaulty = true;
    onFault(`${stream} event ${fault.seq} ${fault.fault}`);
  };
  const take = () => {
    check(fold.end());
    const folded = fold.row();
    if (folded && !isFaulty) rows.add(JSON.stringify(folded.row));
  };
  for await (const event of scanEventsByStream(tx, of)) {
    if (event.stream !== stream) {
      take();
      if (rows.isFull) await flush();
      stream = event.stream;
      isFaulty = false;
    }
    check(fold.add(event));
    events += 1;
  }
  take();
  await flush();
  return events;
}

/** Lists streams that have more events than were folded, one batch of them. */
async function listGrown(tx: Db, prefix: string): Promise<string[]> {
  const rows = await tx<Array<{ stream: string }>>`
    SELECT log.stream FROM (SELECT stream, max(seq) AS seq FROM events WHERE starts_with(stream, ${prefix}) GROUP BY stream) AS log
    LEFT JOIN rebuilt ON ${prefix}::text || rebuilt.id = log.stream
    WHERE rebuilt.last_seq IS DISTINCT FROM log.seq LIMIT ${BATCH}`;
  return rows.map(({ stream }) => stream);
}
