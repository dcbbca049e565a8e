import type { RecordedEvent } from '../../contracts/builds/event.ts';
import { allOf, type Db } from '../database.ts';

/** Which events of the log a page is of. */
export interface EventFilter {
  kinds?: readonly string[] | undefined;
  types?: readonly string[] | undefined;
  stream?: string | undefined;
}

/** Where a page begins, and what it may cost. */
export interface EventRange extends EventFilter {
  after: number;
  /** The last position that counts. */
  until: number;
  limit: number;
  /** Characters of the data of all events; the first is read however long it is. */
  characters: number;
  /** Positions that are looked through. */
  positions: number;
}

export interface EventPage {
  events: RecordedEvent[];
  /** The position that was looked at last. */
  reached: number;
}

/** Events in order of position, and how far the search for them went: a filter that matches little must not read the whole log. */
export async function listEventsByPosition(db: Db, range: EventRange): Promise<EventPage> {
  const { after, kinds, types, stream, limit, characters } = range;
  if (range.until <= after) return { events: [], reached: after };
  // The events of one stream have an index; there is nothing to look through.
  const until = stream === undefined ? Math.min(range.until, after + range.positions) : range.until;
  const wanted = allOf(db, [
    kinds && db`split_part(stream, ':', 1) IN ${db([...kinds])}`,
    types && db`type IN ${db([...types])}`,
    stream === undefined ? undefined : db`stream = ${stream}`,
  ]);
  // One by one, so that no more large events are unpacked than are returned.
  const rows = await db<Array<RecordedEvent & { found: number }>>`
    WITH RECURSIVE matching AS MATERIALIZED (
      SELECT position, row_number() OVER (ORDER BY position) AS number FROM events
      WHERE position > ${after} AND position <= ${until} AND ${wanted} ORDER BY position LIMIT ${limit}
    ), page AS (
      SELECT number, length(data::text)::bigint AS total FROM matching JOIN events USING (position) WHERE number = 1
      UNION ALL
      SELECT matching.number, total + length(data::text)
      FROM page JOIN matching ON matching.number = page.number + 1 JOIN events USING (position)
      WHERE total + length(data::text) <= ${characters}
    )
    SELECT events.*, (SELECT count(*) FROM matching) AS found
    FROM page JOIN matching USING (number) JOIN events USING (position) ORDER BY position`;
  const events = rows.map(({ found: _, ...event }) => event);
  const isCut = events.length === limit || events.length < (rows[0]?.found ?? 0);
  return { events, reached: isCut ? events.at(-1)!.position : until };
}
