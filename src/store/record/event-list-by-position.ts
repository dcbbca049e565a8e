import type { RecordedEvent } from '../../contracts/builds/event.ts';
import { allOf, type Db } from '../database.ts';
import { eventFromRow, type ToldRow } from './told-event.ts';

/** A filter for the events of a page. */
export interface EventFilter {
  kinds?: readonly string[] | undefined;
  types?: readonly string[] | undefined;
  stream?: string | undefined;
}

/** Where a page begins, and how much it may read. */
export interface EventRange extends EventFilter {
  after: number;
  /** The last position to read. */
  until: number;
  limit: number;
  /** The most characters of data that all events together may have; the first event is returned however long it is. */
  characters: number;
  /** How many positions to look through. */
  positions: number;
}

export interface EventPage {
  events: RecordedEvent[];
  /** The last position that the query looked at. */
  reached: number;
}

/** Lists events in order of position, and says how far the search went: a filter with few matches must not read the whole log. */
export async function listEventsByPosition(db: Db, range: EventRange): Promise<EventPage> {
  const { after, kinds, types, stream, limit, characters } = range;
  if (range.until <= after) return { events: [], reached: after };
  // The events of one stream have an index, so the number of positions needs no limit.
  const until = stream === undefined ? Math.min(range.until, after + range.positions) : range.until;
  const wanted = allOf(db, [
    kinds && db`split_part(stream, ':', 1) IN ${db([...kinds])}`,
    types && db`type IN ${db([...types])}`,
    stream === undefined ? undefined : db`stream = ${stream}`,
  ]);
  const size = db`length(data::text) + coalesce(length(told::text), 0)`;
  // One by one, so that Postgres unpacks no more large events than it returns.
  const rows = await db<Array<ToldRow & { found: number }>>`
    WITH RECURSIVE matching AS MATERIALIZED (
      SELECT position, row_number() OVER (ORDER BY position) AS number FROM events
      WHERE position > ${after} AND position <= ${until} AND ${wanted} ORDER BY position LIMIT ${limit}
    ), page AS (
      SELECT number, ${size}::bigint AS total FROM matching JOIN told_events USING (position) WHERE number = 1
      UNION ALL
      SELECT matching.number, total + ${size}
      FROM page JOIN matching ON matching.number = page.number + 1 JOIN told_events USING (position)
      WHERE total + ${size} <= ${characters}
    )
    SELECT told_events.*, (SELECT count(*) FROM matching) AS found
    FROM page JOIN matching USING (number) JOIN told_events USING (position) ORDER BY position`;
  const events = rows.map(({ found: _, ...row }) => eventFromRow(row));
  const isCut = events.length === limit || events.length < (rows[0]?.found ?? 0);
  return { events, reached: isCut ? events.at(-1)!.position : until };
}
