import type { BuildEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../database.ts';
import { streamOf } from '../record/stream-kind.ts';
import { BUILDS } from './build-stream.ts';

/** What is recorded of a dispatch that made no run. */
export type DispatchAnswer =
  | Pick<Extract<BuildEvent, { type: 'dispatch_rejected' }>, 'type' | 'data'>
  | Pick<Extract<BuildEvent, { type: 'dispatch_delayed' }>, 'type' | 'data'>;

/** What the record says that the forge answered to the dispatch with this token; undefined: nothing, or that a run was made. */
export async function findDispatchAnswer(db: Db, buildId: number, token: string): Promise<DispatchAnswer | undefined> {
  const [found] = await db<DispatchAnswer[]>`
    SELECT answer.type, answer.data
    FROM events AS intent JOIN events AS answer USING (stream)
    WHERE intent.stream = ${streamOf(BUILDS, buildId)} AND intent.type = 'dispatch_intended' AND intent.data ->> 'token' = ${token}
      AND answer.seq > intent.seq AND answer.type IN ('dispatch_rejected', 'dispatch_delayed')
      AND answer.data ->> 'attempt' = intent.data ->> 'attempt'
    ORDER BY answer.seq LIMIT 1`;
  return found;
}
