import { and, desc, getTableColumns, sql } from 'drizzle-orm';
import type { Build } from '../domain/build.ts';
import { foldEvent } from '../domain/fold.ts';
import { type BuildFilter, matchesUnchanging } from './build-list.ts';
import { BUILDS } from './build-stream.ts';
import type { Db } from './database.ts';
import { type Page, pageOf } from './page.ts';
import { builds, events } from './schema.ts';

/** How far the clocks of two processes may differ: a build may claim to be created later than it was recorded. */
const CLOCK_DIFFERENCE = sql`interval '1 minute'`;

/**
 * One page of builds as the record knew them at a time, newest first: their events up to the first that was recorded
 * later, folded. One query. What never changes is filtered in the projection, by its index, so a page costs one probe
 * of the log per build in it and one per build that came within a minute after the time; with a status, one more per
 * build that was passed over. A rare status is the worst case: it looks at every build created before.
 */
export async function listBuildsAt(db: Db, at: string, filter: BuildFilter): Promise<Page<Build, number>> {
  const { status, limit } = filter;
  const stream = sql`'build:' || ${builds.id}`;
  const statusThen = sql`(
    SELECT to_status FROM events
    WHERE stream = ${stream} AND seq <= known.length AND to_status IS NOT NULL ORDER BY seq DESC LIMIT 1)`;
  const page = sql`
    SELECT ${builds.id} AS id, ${builds.created_at} AS created_at, ${stream} AS stream, known.length
    FROM ${builds} CROSS JOIN LATERAL (
      SELECT coalesce(min(seq) FILTER (WHERE recorded_at > ${at}::timestamptz) - 1, max(seq)) AS length
      FROM events WHERE stream = ${stream}
    ) AS known
    WHERE ${and(
      sql`${builds.created_at} <= ${at}::timestamptz + ${CLOCK_DIFFERENCE}`,
      sql`known.length >= 1`,
      status === undefined ? undefined : sql`${statusThen} = ${status}`,
      matchesUnchanging(filter),
    )}
    ORDER BY ${desc(builds.created_at)}, ${desc(builds.id)} LIMIT ${limit + 1}`;
  const rows = await db
    .select(getTableColumns(events))
    .from(sql`(${page}) AS page`)
    .innerJoin(events, sql`${events.stream} = page.stream AND ${events.seq} <= page.length`)
    .orderBy(sql`page.created_at DESC, page.id DESC`, events.seq);
  const states = new Map<string, Build>();
  for (const event of rows) states.set(event.stream, foldEvent(BUILDS, states.get(event.stream), event));
  return pageOf([...states.values()], limit);
}
