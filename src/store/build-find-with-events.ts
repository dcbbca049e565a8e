import { asc, eq, sql } from 'drizzle-orm';
import type { RecordedEvent } from '../contracts/event.ts';
import type { Build } from '../domain/build.ts';
import { buildFromRow } from './build-row.ts';
import type { Db } from './database.ts';
import { builds, events } from './schema.ts';

/**
 * A build and all its events, as of one moment: in two queries the one could be newer than the other by as long as a
 * connection takes to open. A build has tens of events; its state machine bounds how many.
 */
export async function findBuildWithEvents(
  db: Db,
  id: number,
): Promise<{ build: Build; events: RecordedEvent[] } | undefined> {
  const rows = await db
    .select({ build: builds, event: events })
    .from(builds)
    .innerJoin(events, sql`${events.stream} = 'build:' || ${builds.id}`)
    .where(eq(builds.id, id))
    .orderBy(asc(events.seq));
  const [first] = rows;
  return first && { build: buildFromRow(first.build), events: rows.map((row) => row.event) };
}
