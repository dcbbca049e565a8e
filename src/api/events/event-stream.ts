import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { eventView, type RecordedEvent } from '../../contracts/builds/event.ts';
import { eventViewOf } from '../../domain/record/event-view.ts';
import type { EventTail } from './event-tail.ts';
import type { Listener, OpenStreams } from './open-streams.ts';

export const lastEventIdHeader = z.object({
  'last-event-id': z
    .string()
    .regex(/^\d{1,9}$/, 'must be the seq of an event')
    .optional(),
});

/** Responses of a route that serves events. */
export const eventResponses = {
  200: {
    description: 'All events so far, or a stream',
    content: {
      'application/json': { schema: z.array(eventView) },
      'text/event-stream': {
        schema: z.string().meta({ description: 'id: seq; event: event type; data: the event as JSON' }),
      },
    },
  },
  204: { description: 'It has ended and you have seen all its events (streams only)' },
};

/** Says whether a client asks for a stream. */
export function asksForStream(c: Context): boolean {
  return c.req.header('accept')?.includes('text/event-stream') ?? false;
}

/** Responds with only the head of a stream. Nobody reads a body after it, so a real stream would never learn that its client is gone. */
export function answerStreamHead(c: Context): Response {
  return c.body(null, 200, { 'Content-Type': 'text/event-stream' });
}

/** Dependencies of the streams of builds and tasks. */
export interface StreamParts {
  tail: EventTail;
  streams: OpenStreams;
}

/** The events of a stream so far, and the statuses that end it. */
export interface Story {
  stream: string;
  status: string;
  ends: readonly string[];
  events: RecordedEvent[];
}

/** Responds with events as JSON or, if the client asks for it, as a live stream that resumes after an event. */
export function answerEvents(c: Context, parts: StreamParts, story: Story, lastEventId: string | undefined): Response {
  const { stream, status, ends, events } = story;
  c.header('Vary', 'Accept');
  if (!asksForStream(c)) return c.json(events.map(eventViewOf), 200);

  // A client may be ahead of a record that was restored. It gets the events from now on.
  const seen = Math.min(Number(lastEventId ?? 0), events.length);
  const unseen = events.filter((event) => event.seq > seen);
  const ended = ends.includes(status);
  if (ended && unseen.length === 0) return c.body(null, 204);
  if (c.req.method === 'HEAD') return answerStreamHead(c);
  const watched = { unseen, after: events.length, ended, ends };
  return parts.streams.serve(c, (listener) => sendEvents(listener, parts.tail, stream, watched));
}

/** The events that a stream sends, and the statuses that end it. */
interface Watched {
  unseen: RecordedEvent[];
  after: number;
  ended: boolean;
  ends: readonly string[];
}

async function sendEvents(
  { gone, send }: Listener,
  tail: EventTail,
  stream: string,
  { unseen, after, ended, ends }: Watched,
): Promise<void> {
  let pending: RecordedEvent[] = unseen;
  let isOver = ended;
  let wake = () => {};
  const unwatch = tail.watch(stream, after, (event) => {
    pending.push(event);
    wake();
  });
  gone.addEventListener('abort', () => wake(), { once: true });
  try {
    while (!gone.aborted) {
      const batch = pending;
      pending = [];
      for (const event of batch) {
        await send({ id: event.seq, type: event.type, json: JSON.stringify(eventViewOf(event)) });
        // A retry makes an ended build or task go on.
        if (event.to_status !== null) isOver = ends.includes(event.to_status);
      }
      if (isOver && pending.length === 0) break;
      if (pending.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    unwatch();
  }
}
