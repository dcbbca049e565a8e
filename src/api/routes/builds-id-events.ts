import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { buildIdParam, eventView, TERMINAL_STATUSES } from '../../contracts/build.ts';
import type { RecordedEvent } from '../../contracts/event.ts';
import { eventViewOf } from '../../domain/build-view.ts';
import { findBuildWithEvents } from '../../store/build-find-with-events.ts';
import type { Db } from '../../store/database.ts';
import { buildStream } from '../../store/event-append.ts';
import type { Api } from '../environment.ts';
import type { EventTail } from '../event-tail.ts';
import { ApiError } from '../problem.ts';
import { problemResponses } from '../responses.ts';

/** A comment this often keeps proxies from closing a quiet stream. */
const KEEP_ALIVE_MS = 15_000;

const route = createRoute({
  method: 'get',
  path: '/builds/{id}/events',
  operationId: 'listBuildEvents',
  tags: ['builds'],
  summary: 'The events of a build, or a live stream of them',
  description:
    'With `Accept: text/event-stream` the events so far are sent, then each as it happens; the stream closes at the end of the build. Reconnecting with `Last-Event-ID` resumes after that event, and answers 204 where nothing will come.',
  request: {
    params: buildIdParam,
    headers: z.object({
      'last-event-id': z
        .string()
        .regex(/^\d{1,9}$/, 'must be the seq of an event')
        .optional(),
    }),
  },
  responses: {
    200: {
      description: 'All events so far, or a stream',
      content: {
        'application/json': { schema: z.array(eventView) },
        'text/event-stream': {
          schema: z.string().meta({ description: 'id: seq; event: event type; data: the event as JSON' }),
        },
      },
    },
    204: { description: 'The build has ended and all its events were seen (streams only)' },
    ...problemResponses('invalid_request', 'not_found', 'database_unavailable'),
  },
});

export function getBuildEvents(api: Api, db: Db, tail: EventTail): void {
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const found = await findBuildWithEvents(db, id);
    if (!found) throw new ApiError('not_found', { detail: `there is no build ${id}` });
    const { build, events } = found;
    c.header('Vary', 'Accept');
    if (!c.req.header('accept')?.includes('text/event-stream')) return c.json(events.map(eventViewOf), 200);

    const seen = Number(c.req.valid('header')['last-event-id'] ?? 0);
    const unseen = events.filter((event) => event.seq > seen);
    const ended = TERMINAL_STATUSES.includes(build.status);
    if (ended && unseen.length === 0) return c.body(null, 204);
    return stream(c, tail, buildStream(id), unseen, Math.max(seen, events.length), ended) as never;
  });
}

function stream(
  c: Context,
  tail: EventTail,
  name: string,
  unseen: RecordedEvent[],
  after: number,
  ended: boolean,
): Response {
  return streamSSE(c, async (sse) => {
    let pending: RecordedEvent[] = unseen;
    let wake = () => {};
    let open = true;
    const unwatch = tail.watch(name, after, (event) => {
      pending.push(event);
      wake();
    });
    sse.onAbort(() => {
      open = false;
      wake();
    });
    const keepAlive = setInterval(() => void sse.write(': keep-alive\n\n'), KEEP_ALIVE_MS);
    try {
      while (open) {
        const batch = pending;
        pending = [];
        for (const event of batch) {
          await sse.writeSSE({ id: String(event.seq), event: event.type, data: JSON.stringify(eventViewOf(event)) });
        }
        if ((ended || batch.some(isEnd)) && pending.length === 0) break;
        if (pending.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      clearInterval(keepAlive);
      unwatch();
    }
  });
}

function isEnd(event: RecordedEvent): boolean {
  return event.to_status !== null && TERMINAL_STATUSES.includes(event.to_status);
}
