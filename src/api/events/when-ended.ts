import type { ToldEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../../store/database.ts';
import { type FoundStream, findStream } from '../../store/record/stream-find.ts';
import { type Identified, type StreamKind, streamOf } from '../../store/record/stream-kind.ts';
import type { EventTail } from './event-tail.ts';
import type { OpenStreams } from './open-streams.ts';
import { isEnd, waitForEnd } from './wait-for-end.ts';

/**
 * Returns a build or task with its events: at once if it has ended, otherwise when it ends, the time is over, or the client is gone.
 * @param streams counts the requests that wait. Left out: any number may.
 * @throws {Refusal} 503 if too many requests wait.
 */
export async function whenEnded<State extends Identified, Event extends ToldEvent>(
  { db, tail, streams }: { db: Db; tail: EventTail; streams?: OpenStreams },
  kind: StreamKind<State, Event>,
  id: State['id'],
  seconds: number,
  gone: AbortSignal,
): Promise<FoundStream<State> | undefined> {
  const found = await findStream(db, kind, id);
  if (!found || seconds <= 0 || isEnd(found.state.status)) return found;
  const leave = streams?.enter();
  try {
    await waitForEnd(tail, { stream: streamOf(kind, id), after: found.events.length }, seconds * 1_000, gone);
  } finally {
    leave?.();
  }
  return gone.aborted ? found : findStream(db, kind, id);
}
