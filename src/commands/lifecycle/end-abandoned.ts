import type { Happening, ToldEvent } from '../../contracts/builds/event.ts';
import type { Build } from '../../domain/builds/build.ts';
import type { ExpectedStream } from '../../domain/record/stream-fault.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { BUILDS } from '../../store/builds/build-stream.ts';
import type { Db } from '../../store/database.ts';
import { appendEvents } from '../../store/record/event-append.ts';
import { type StreamKind, streamOf } from '../../store/record/stream-kind.ts';
import { beginEnding } from './begin-ending.ts';
import type { Subject } from './kind.ts';
import type { StartDependencies } from './start-workflow.ts';

/** An event, and its key within a step. */
export type Step<Event extends ToldEvent> = Happening<Event> & { key: string };

/**
 * Records the end of a build or task that has no workflow any more, together with its dead letter, which nobody would add later. Starts
 * the callbacks and replies first; they wait for the event. So a crash in between loses none of them: the subject is still open, and
 * whoever ends it next starts them again.
 * @param step begins the dedupe keys; it differs each time the subject was begun.
 * @param ending the event that ends it.
 * @param expected what the stream must be like for it to end.
 */
export async function endAbandoned<State extends Subject, Event extends ToldEvent>(
  { client, db, ends }: Pick<StartDependencies, 'client' | 'ends'> & { db: Db },
  kind: StreamKind<State, Event>,
  id: State['id'],
  step: string,
  { before = [], ending, after = [] }: { before?: Step<Event>[]; ending: Step<Event>; after?: Step<Event>[] },
  expected: ExpectedStream = {},
): Promise<void> {
  await beginEnding({ client, db }, { subject: streamOf(kind, id), ending: step + ending.key });
  const occurred_at = new Date().toISOString();
  const events = [...before, ending, ...after].map(
    ({ key, ...event }) => ({ ...event, occurred_at, dedupe_key: step + key }) as unknown as Event,
  );
  const { state, repeated } = await appendEvents(db, kind, id, events, expected);
  if (repeated) return;
  if (kind.name === BUILDS.name) ends?.buildEnded(state as unknown as Build);
  else ends?.taskEnded(state as unknown as Task);
}
