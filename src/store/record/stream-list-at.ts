import type { ToldEvent } from '../../contracts/builds/event.ts';
import { foldEvent } from '../../domain/record/fold.ts';
import { allOf, type Db, type Fragment } from '../database.ts';
import { type Cursor, type Page, pageOf } from '../page.ts';
import type { Identified, StreamKind } from './stream-kind.ts';
import { eventFromRow, type ToldRow } from './told-event.ts';

/** A filter for the builds or tasks of a page. */
export interface FilterAt {
  status?: string | undefined;
  limit: number;
  /** Conditions on fields that never change, so that they hold at any time. */
  unchanging: Fragment;
}

/**
 * Lists one page of builds or tasks as they were at a time, newest first. One query reads their events as `eventsUntil`
 * (domain/fold) picks them; then they are folded. An index of the projection filters by fields that never change. So a page costs
 * one probe of the log for each row in it, and one for each row created within an hour after the time. With a status, it costs
 * one more for each row that was passed over. A rare status is the worst case: the query looks at every row created before.
 */
export async function listStreamsAt<State extends Identified & Cursor<number | string>, Event extends ToldEvent>(
  db: Db,
  kind: StreamKind<State, Event>,
  at: string,
  { status, limit, unchanging }: FilterAt,
): Promise<Page<State, State['id']>> {
  const projected = db(kind.table);
  const stream = db`${`${kind.name}:`}::text || ${projected}.id`;
  const statusThen = db`(
    SELECT to_status FROM events
    WHERE stream = ${stream} AND seq <= known.length AND to_status IS NOT NULL ORDER BY seq DESC LIMIT 1)`;
  const hasStatus = status === undefined ? undefined : db`${statusThen} = ${status}`;
  // The clocks of two processes differ, so an event may be older than the creation of its build or task.
  const rows = await db<ToldRow[]>`
    SELECT events.* FROM (
      SELECT ${projected}.id, ${projected}.created_at, ${stream} AS stream, known.length
      FROM ${projected} CROSS JOIN LATERAL (
        SELECT max(seq) AS length FROM events
        WHERE stream = ${stream} AND least(occurred_at, recorded_at) <= ${at}::timestamptz
      ) AS known
      WHERE ${projected}.created_at <= ${at}::timestamptz + interval '1 hour' AND known.length >= 1
        AND ${allOf(db, [hasStatus, unchanging])}
      ORDER BY ${projected}.created_at DESC, ${projected}.id DESC LIMIT ${limit + 1}
    ) AS page
    JOIN told_events AS events ON events.stream = page.stream AND events.seq <= page.length
    ORDER BY page.created_at DESC, page.id DESC, events.seq`;
  const states = new Map<string, State>();
  for (const event of rows.map(eventFromRow))
    states.set(event.stream, foldEvent(kind, states.get(event.stream), event));
  return pageOf([...states.values()], limit) as Page<State, State['id']>;
}
