import type { BuildCallback } from '../contracts/build.ts';
import type { CallbackEvent } from '../contracts/callback.ts';
import type { CallbackMessage } from '../contracts/callback-workflow.ts';
import type { RecordedEvent } from '../contracts/event.ts';
import type { Build } from '../domain/build.ts';
import { buildSummaryOf } from '../domain/build-view.ts';
import { foldEvent } from '../domain/fold.ts';
import { BUILDS } from '../store/build-stream.ts';
import type { Db } from '../store/database.ts';
import { appendEvent } from '../store/event-append.ts';
import { listEvents } from '../store/event-list-by-stream.ts';

/** What callbacks ask of the kind of thing they are about. */
interface CallbackSubject {
  /** What is said about one of its endings. */
  compose(db: Db, ending: string): Promise<CallbackMessage>;
  append(db: Db, event: CallbackEvent): Promise<{ repeated: boolean }>;
}

/** Standard Webhooks asks for payloads below 20 kB ("Payload size"). */
const MAX_BODY_BYTES = 20 * 1024;

/** The subject with this stream. */
export function subjectOf(stream: string): CallbackSubject {
  const [kind, id] = stream.split(':');
  if (kind !== 'build') throw new Error(`nobody tells callbacks about ${stream}`);
  return {
    compose: async (db, ending) => composeBuildCallback(await listEvents(db, stream), ending),
    append: (db, event) => appendEvent(db, BUILDS, Number(id), event),
  };
}

/**
 * What a callback says about an ending of a build: the build as it was then, with what was told right after (why it became
 * a dead letter), whatever became of it since.
 */
export function composeBuildCallback(events: readonly RecordedEvent[], ending: string): CallbackMessage {
  const at = events.findIndex((event) => event.dedupe_key === ending);
  const ended = events[at];
  if (!ended) throw new Error(`there is no event ${ending}`);
  const retried = events.findIndex((event, index) => index > at && event.type === 'build_retried');
  const told = retried === -1 ? events : events.slice(0, retried);
  const build = told.reduce<Build | undefined>((known, event) => foldEvent(BUILDS, known, event), undefined)!;
  const { inputs, ...rest } = buildSummaryOf(build);
  const bodyOf = (data: BuildCallback['data']) => {
    const type = ended.type === 'build_cancelled' ? 'build.cancelled' : 'build.completed';
    return JSON.stringify({ type, timestamp: ended.occurred_at, data } satisfies BuildCallback);
  };
  const whole = bodyOf({ ...rest, inputs });
  return {
    // The hash stands for this ending in this record alone: another installation has a build of the same number.
    webhook_id: `msg_${ended.hash.slice(0, 32)}`,
    body: Buffer.byteLength(whole) <= MAX_BODY_BYTES ? whole : bodyOf(rest),
  };
}
