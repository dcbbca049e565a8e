import { and, getTableColumns, type SQL, sql } from 'drizzle-orm';
import type { ToldEvent } from '../../contracts/builds/event.ts';
import { foldEvent } from '../../domain/record/fold.ts';
import type { Db } from '../database.ts';
import { type Cursor, type Page, pageOf } from '../page.ts';
import { events } from '../schema.ts';
import type { Identified, StreamKind } from './stream-kind.ts';

/** How far the clocks of two processes may differ: an event may be older than the creation of its build or task. */
const CLOCK_DIFFERENCE = sql`interval '1 hour'`;

/** Which builds or tasks a page is of. */
export interface FilterAt {
  status?: string | undefined;
  limit: number;
  /** Conditions on what never changes, so that they hold at any time. */
  unchanging: SQL | undefined;
}

/**
 * One page of builds or tasks as they were at a time, newest first: their events as `eventsUntil` (domain/fold) picks them,
 * folded. One query. What never changes is filtered in the projection, by its index. So a page costs one probe of the log for
 * each row in it, and one for each that was created within an hour after the time; with a status, one more for each row that
 * was passed over. A rare status is the worst case: it looks at every row created before.
 */
export async function listStreamsAt<State extends Identified & Cursor<number | string>, Event extends ToldEvent>(
  db: Db,
  kind: StreamKind<State, Event>,
  at: string,
  { status, limit, unchanging }: FilterAt,
): Promise<Page<State, State['id']>> {
  const { projection } = kind;
  const stream = sql`${`${kind.name}:`}::text || ${projection}.id`;
  const statusThen = sql`(
    SELECT to_status FROM events
    WHERE stream = ${stream} AND seq <= known.length AND to_status IS NOT NULL ORDER BY seq DESC LIMIT 1)`;
  const page = sql`
    SELECT ${projection}.id, ${projection}.created_at, ${stream} AS stream, known.length
    FROM ${projection} CROSS JOIN LATERAL (
      SELECT max(seq) AS length FROM events
      WHERE stream = ${stream} AND least(occurred_at, recorded_at) <= ${at}::timestamptz
    ) AS known
    WHERE ${and(
      sql`${projection}.created_at <= ${at}::timestamptz + ${CLOCK_DIFFERENCE}`,
      sql`known.length >= 1`,
      status === undefined ? undefined : sql`${statusThen} = ${status}`,
      unchanging,
    )}
    ORDER BY ${projection}.created_at DESC, ${projection}.id DESC LIMIT ${limit + 1}`;
  const rows = await db
    .select(getTableColumns(events))
    .from(sql`(${page}) AS page`)
    .innerJoin(events, sql`${events.stream} = page.stream AND ${events.seq} <= page.length`)
    .orderBy(sql`page.created_at DESC, page.id DESC`, events.seq);
  const states = new Map<string, State>();
  for (const event of rows) states.set(event.stream, foldEvent(kind, states.get(event.stream), event));
  return pageOf([...states.values()], limit) as Page<State, State['id']>;
}
