import { OpenAPIHono } from '@hono/zod-openapi';
import pino from 'pino';
import { OpenStreams, type StreamLimits } from '../../src/api/events/open-streams.ts';
import { listen } from '../../src/api/listen.ts';
import { getEvents } from '../../src/api/routes/events.ts';
import { Refusal } from '../../src/commands/refusal.ts';
import { PROBLEMS } from '../../src/contracts/problem.ts';
import type { Db } from '../../src/store/database.ts';
import { EventFeed } from '../../src/store/record/event-feed.ts';
import { callers } from './world.ts';

/** `GET /events` alone, over a database. */
export async function openFeedApi(db: Db, limits: Partial<StreamLimits> = {}) {
  const api = new OpenAPIHono();
  const streams = new OpenStreams({ open: 100, stalledMs: 30_000, beatMs: 15_000, ...limits });
  getEvents(api as never, { feed: new EventFeed(db), streams });
  api.onError((error, c) => {
    if (!(error instanceof Refusal)) pino().error(error);
    return c.json({ message: error.message }, error instanceof Refusal ? PROBLEMS[error.code].status : 500);
  });
  const server = await listen(api.fetch, '127.0.0.1', 0);
  return { ...callers(server.url), ...server, streams };
}

/** One message of a stream. */
export interface Message {
  id: number;
  event: string | undefined;
  data: string | undefined;
}

/** Reads a stream until it has been told enough, or until it ends. */
export async function readMessages(
  url: string,
  enough: (messages: Message[]) => boolean,
  { lastEventId }: { lastEventId?: number } = {},
): Promise<Message[]> {
  const aborted = new AbortController();
  const headers = {
    accept: 'text/event-stream',
    ...(lastEventId === undefined ? {} : { 'last-event-id': String(lastEventId) }),
  };
  const response = await fetch(url, { headers, signal: aborted.signal });
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  const messages: Message[] = [];
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop()!;
    messages.push(...blocks.filter((block) => /^id: /m.test(block)).map(messageOf));
    if (enough(messages)) break;
  }
  aborted.abort();
  return messages;
}

function messageOf(block: string): Message {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
  return { id: Number(field('id')), event: field('event'), data: field('data') };
}
