import { sql } from 'drizzle-orm';
import { BuildFold } from './build-fold.ts';
import type { BuildRow } from './build-row.ts';
import type { Db } from './database.ts';
import { scanEventsByStream } from './event-scan-by-stream.ts';

/** Rows or streams that are sent at once. */
const BATCH = 500;

export interface Rebuilt {
  builds: number;
  events: number;
  /** Rows that were missing or not what the events add up to. */
  corrected: number;
  /** Rows of builds that have no events. */
  removed: number;
}

/**
 * Makes the projection of the builds anew from the log, in one transaction, while others read and append. First all is
 * folded beside the projection. Then appends wait: under a lock only the streams that grew meanwhile are folded again,
 * and the rows that differ are replaced. Readers see the old rows until the end, and equal rows stay where they are.
 * @throws where an event cannot follow those before it; nothing is changed then.
 */
export function rebuildBuilds(db: Db): Promise<Rebuilt> {
  return db.transaction(async (tx) => {
    await tx.execute(sql`CREATE TEMPORARY TABLE rebuilt_builds (LIKE builds, PRIMARY KEY (id)) ON COMMIT DROP`);
    let events = await foldInto(tx);
    await tx.execute(sql`ANALYZE rebuilt_builds`);
    // Every append writes to both tables in one statement: with this, none is under way and all that came are seen.
    await tx.execute(sql`LOCK TABLE builds IN SHARE ROW EXCLUSIVE MODE`);
    for (let grown = await listGrown(tx); grown.length > 0; grown = await listGrown(tx)) {
      await tx.execute(
        sql`DELETE FROM rebuilt_builds USING jsonb_array_elements_text(${JSON.stringify(grown)}::jsonb) AS stream WHERE 'build:' || id = stream`,
      );
      events += await foldInto(tx, grown);
    }
    const [counts] = await tx.execute<Record<'builds' | 'removed', string>>(sql`
      SELECT (SELECT count(*) FROM rebuilt_builds) AS builds,
        (SELECT count(*) FROM builds WHERE NOT EXISTS (SELECT FROM rebuilt_builds AS rebuilt WHERE rebuilt.id = builds.id)) AS removed`);
    // All that is wrong goes before anything comes: a wrong row may hold the unique key of a right one.
    await tx.execute(sql`
      DELETE FROM builds WHERE NOT EXISTS
        (SELECT FROM rebuilt_builds AS rebuilt WHERE rebuilt.id = builds.id AND rebuilt *= builds)`);
    const { count: corrected } = await tx.execute(sql`
      INSERT INTO builds SELECT * FROM rebuilt_builds AS rebuilt
      WHERE NOT EXISTS (SELECT FROM builds WHERE builds.id = rebuilt.id)`);
    return { builds: Number(counts?.builds), events, corrected, removed: Number(counts?.removed) };
  });
}

/** Whether this login may do so: the role of the processes may not remove rows. */
export async function mayRebuild(db: Db): Promise<boolean> {
  const [row] = await db.execute<{ may: boolean }>(sql`SELECT has_table_privilege('builds', 'DELETE') AS may`);
  return row?.may === true;
}

async function foldInto(tx: Db, streams?: string[]): Promise<number> {
  const fold = new BuildFold();
  let rows: BuildRow[] = [];
  let stream = '';
  let events = 0;
  const flush = async () => {
    await tx.execute(sql`
      INSERT INTO rebuilt_builds SELECT * FROM jsonb_populate_recordset(NULL::builds, ${JSON.stringify(rows)}::jsonb)`);
    rows = [];
  };
  const take = () => {
    const row = fold.row();
    if (row) rows.push(row);
  };
  for await (const event of scanEventsByStream(tx, streams)) {
    if (!event.stream.startsWith('build:')) continue;
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

/** Streams that have more events than were folded, some at a time. */
async function listGrown(tx: Db): Promise<string[]> {
  const rows = await tx.execute<{ stream: string }>(sql`
    SELECT log.stream FROM (SELECT stream, max(seq) AS seq FROM events WHERE starts_with(stream, 'build:') GROUP BY stream) AS log
    LEFT JOIN rebuilt_builds ON 'build:' || rebuilt_builds.id = log.stream
    WHERE rebuilt_builds.last_seq IS DISTINCT FROM log.seq LIMIT ${BATCH}`);
  return rows.map(({ stream }) => stream);
}
