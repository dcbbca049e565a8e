import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../database.ts';
import { scanEventsByStream } from './event-scan-by-stream.ts';
import { StreamFold } from './stream-fold.ts';
import type { AnyStreamKind, ProjectionRow } from './stream-kind.ts';

/** Rows or streams that are sent at once. */
const BATCH = 500;

export interface Rebuilt {
  rows: number;
  events: number;
  /** Rows that were missing or not what the events add up to. */
  corrected: number;
  /** Rows of streams that have no events. */
  removed: number;
}

/** The projection that is made beside the one that stands. */
const REBUILT = sql.raw('rebuilt');

/**
 * Makes the projection of a kind of streams anew from the log, in one transaction, while others read and append. First all
 * streams are folded into a table beside the projection. Then appends wait: under a lock, only the streams that grew
 * meanwhile are folded again, and rows that differ are replaced. Readers see the old rows until the end.
 * @throws if an event cannot follow those before it; then nothing is changed.
 */
export function rebuildProjection(db: Db, kind: AnyStreamKind): Promise<Rebuilt> {
  const { name, projection } = kind;
  const prefix = `${name}:`;
  return db.transaction(async (tx) => {
    await tx.execute(sql`CREATE TEMPORARY TABLE ${REBUILT} (LIKE ${projection}, PRIMARY KEY (id)) ON COMMIT DROP`);
    let events = await foldInto(tx, projection, { prefix });
    await tx.execute(sql`ANALYZE ${REBUILT}`);
    // Every append writes to both tables in one statement: under this lock none is under way, and all earlier ones are seen.
    await tx.execute(sql`LOCK TABLE ${projection} IN SHARE ROW EXCLUSIVE MODE`);
    for (let grown = await listGrown(tx, prefix); grown.length > 0; grown = await listGrown(tx, prefix)) {
      await tx.execute(
        sql`DELETE FROM ${REBUILT} USING jsonb_array_elements_text(${JSON.stringify(grown)}::jsonb) AS stream WHERE ${prefix}::text || id = stream`,
      );
      events += await foldInto(tx, projection, { streams: grown });
    }
    const [counts] = await tx.execute<Record<'rows' | 'removed', string>>(sql`
      SELECT (SELECT count(*) FROM ${REBUILT}) AS rows,
        (SELECT count(*) FROM ${projection} AS standing
         WHERE NOT EXISTS (SELECT FROM ${REBUILT} AS rebuilt WHERE rebuilt.id = standing.id)) AS removed`);
    // Wrong rows are removed before right ones are inserted: they may hold a unique key of those.
    await tx.execute(sql`
      DELETE FROM ${projection} AS standing WHERE NOT EXISTS
        (SELECT FROM ${REBUILT} AS rebuilt WHERE rebuilt.id = standing.id AND rebuilt *= standing)`);
    const { count: corrected } = await tx.execute(sql`
      INSERT INTO ${projection} SELECT * FROM ${REBUILT} AS rebuilt
      WHERE NOT EXISTS (SELECT FROM ${projection} AS standing WHERE standing.id = rebuilt.id)`);
    return { rows: Number(counts?.rows), events, corrected, removed: Number(counts?.removed) };
  });
}

/** Whether this login may rebuild: the role that the processes act as may not remove rows. */
export async function mayRebuild(db: Db): Promise<boolean> {
  const [row] = await db.execute<{ may: boolean }>(sql`SELECT has_table_privilege('builds', 'DELETE') AS may`);
  return row?.may === true;
}

async function foldInto(tx: Db, projection: SQL, of: { prefix?: string; streams?: string[] }): Promise<number> {
  const fold = new StreamFold();
  let rows: ProjectionRow[] = [];
  let stream = '';
  let events = 0;
  const flush = async () => {
    await tx.execute(sql`
      INSERT INTO ${REBUILT}
      SELECT * FROM jsonb_populate_recordset(NULL::${projection}, ${JSON.stringify(rows)}::jsonb)`);
    rows = [];
  };
  const take = () => {
    const folded = fold.row();
    if (folded) rows.push(folded.row);
  };
  for await (const event of scanEventsByStream(tx, of)) {
    if (event.stream !== stream) {
      take();
      if (rows.length >= BATCH) await flush();
      stream = event.stream;
    }
    const fault = fold.add(event);
    if (fault) throw new Error(`${stream} event ${fault.seq} ${fault.fault}; run \`hapax audit verify\``);
    events += 1;
  }
  take();
  await flush();
  return events;
}

/** Streams that have more events than were folded, a batch of them. */
async function listGrown(tx: Db, prefix: string): Promise<string[]> {
  const rows = await tx.execute<{ stream: string }>(sql`
    SELECT log.stream FROM (SELECT stream, max(seq) AS seq FROM events WHERE starts_with(stream, ${prefix}) GROUP BY stream) AS log
    LEFT JOIN ${REBUILT} AS rebuilt ON ${prefix}::text || rebuilt.id = log.stream
    WHERE rebuilt.last_seq IS DISTINCT FROM log.seq LIMIT ${BATCH}`);
  return rows.map(({ stream }) => stream);
}
