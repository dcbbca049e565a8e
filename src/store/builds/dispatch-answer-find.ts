import type { BuildEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../database.ts';
import { streamOf } from '../record/stream-kind.ts';
import { eventFromRow, type ToldRow } from '../record/told-event.ts';
import { BUILDS } from './build-stream.ts';

/** The recorded response to a dispatch, except the run that it made. */
export type DispatchAnswer =
  | Pick<Extract<BuildEvent, { type: 'dispatch_ambiguous' }>, 'type' | 'data'>
  | Pick<Extract<BuildEvent, { type: 'dispatch_rejected' }>, 'type' | 'data'>
  | Pick<Extract<BuildEvent, { type: 'dispatch_delayed' }>, 'type' | 'data'>;

/** Finds the recorded response of the forge to the dispatch with this token; undefined if there is none, or if it named a run. */
export async function findDispatchAnswer(db: Db, buildId: number, token: string): Promise<DispatchAnswer | undefined> {
  const [found] = await db<ToldRow[]>`
    SELECT answer.*
    FROM events AS intent JOIN told_events AS answer USING (stream)
    WHERE intent.stream = ${streamOf(BUILDS, buildId)} AND intent.type = 'dispatch_intended' AND intent.data ->> 'token' = ${token}
      AND answer.seq > intent.seq AND answer.type IN ('dispatch_rejected', 'dispatch_delayed', 'dispatch_ambiguous')
      AND answer.data ->> 'attempt' = intent.data ->> 'attempt'
    ORDER BY answer.seq LIMIT 1`;
  if (!found) return undefined;
  const { type, data } = eventFromRow(found);
  return { type, data } as DispatchAnswer;
}
