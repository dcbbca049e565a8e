import { setTimeout as delay } from 'node:timers/promises';
import { createRoute, z } from '@hono/zod-openapi';
import { type EventFeedQuery, eventFeedPage, eventFeedQuery } from '../../contracts/event-feed.ts';
import { type EventFeed, feedEventOf } from '../../store/record/event-feed.ts';
import type { Api } from '../environment.ts';
import { answerStreamHead, asksForStream } from '../events/event-stream.ts';
import type { Listener, OpenStreams } from '../events/open-streams.ts';
import { problems } from '../responses.ts';
import { needs } from '../rights.ts';

/** Pause of a stream after the database did not respond, in milliseconds. */
const AWAY_MS = 500;

const route = createRoute({
  method: 'get',
  path: '/events',
  operationId: 'listEvents',
  ...needs('read'),
  tags: ['events'],
  summary: 'List all events, or stream them live',
  description:
    'Events come in the order of the log, and none is skipped: an event that is still being recorded delays those after it, for milliseconds. With `Accept: text/event-stream`, the response is a stream that does not end; the id of an event is its position, and `Last-Event-ID` resumes after it. Hapax disconnects a client that does not read; it resumes in the same way. Every 15 seconds, a quiet stream sends an id without an event, so that a client with a filter resumes near the end.',
  request: {
    query: eventFeedQuery,
    headers: z.object({
      'last-event-id': z
        .string()
        .regex(/^\d{1,15}$/, 'must be the position of an event')
        .optional()
        .meta({ description: 'For streams: takes the place of `after`.' }),
    }),
  },
  responses: {
    200: {
      description: 'One page, or a stream',
      content: {
        'application/json': { schema: eventFeedPage },
        'text/event-stream': {
          schema: z.string().meta({ description: 'id: position; event: event type; data: a FeedEvent as JSON' }),
        },
      },
    },
    ...problems('invalid_request', 'too_many_streams', 'database_unavailable'),
  },
});

export function getEvents(api: Api, { feed, streams }: { feed: EventFeed; streams: OpenStreams }): void {
  api.openapi(route, async (c) => {
    const { after = 0, limit, ...filter } = c.req.valid('query');
    c.header('Vary', 'Accept');
    if (!asksForStream(c)) {
      const { events, reached, atEnd } = await feed.page(after, filter, limit);
      return c.json({ events: events.map(feedEventOf), next_after: reached, at_end: atEnd }, 200);
    }
    if (c.req.method === 'HEAD') return answerStreamHead(c) as never;
    const end = await feed.end();
    const lastEventId = c.req.valid('header')['last-event-id'];
    const asked = lastEventId === undefined ? after : Number(lastEventId);
    return streams.serve(c, (listener) => follow(listener, feed, asked === 'latest' ? end : asked, filter)) as never;
  });
}

/** Sends the events after a position until the client is gone. */
async function follow(
  { gone, send, reach }: Listener,
  feed: EventFeed,
  after: number,
  filter: Omit<EventFeedQuery, 'after' | 'limit'>,
): Promise<void> {
  const leave = feed.listen();
  try {
    // A client that loses its connection before the first event resumes from here.
    await send({ id: after });
    for (let reached = after; !gone.aborted; ) {
      const batch = await feed.next(reached, filter).catch(() => undefined);
      if (!batch) await delay(AWAY_MS, undefined, { signal: gone }).catch(() => {});
      else if (batch.reached === reached) await feed.news(reached, gone);
      else {
        for (const { position, type, json } of batch.events) {
          if (gone.aborted) break;
          await send({ id: position, type, json });
        }
        reached = batch.reached;
        reach(reached);
      }
    }
  } finally {
    leave();
  }
}
