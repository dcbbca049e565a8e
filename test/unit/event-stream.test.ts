import { setImmediate } from 'node:timers/promises';
import { Hono } from 'hono';
import { expect, it } from 'vitest';
import { answerEvents } from '../../src/api/events/event-stream.ts';
import type { EventTail } from '../../src/api/events/event-tail.ts';
import { OpenStreams } from '../../src/api/events/open-streams.ts';
import { TERMINAL_STATUSES } from '../../src/contracts/builds/build.ts';
import type { RecordedEvent } from '../../src/contracts/builds/event.ts';

const told = (seq: number, type: string, to_status: string | null) =>
  ({
    stream: 'build:1',
    seq,
    type,
    to_status,
    from_status: null,
    data: {},
    occurred_at: '',
  }) as unknown as RecordedEvent;
const RETRIED = [
  told(1, 'build_queued', 'queued'),
  told(2, 'build_completed', 'failure'),
  told(3, 'build_dead_lettered', null),
  told(4, 'build_retried', 'queued'),
  told(5, 'build_started', 'in_progress'),
];

/** Opens the stream of a build from its beginning. */
async function open(events: RecordedEvent[], status: string) {
  let tell: (event: RecordedEvent) => void = () => {};
  const tail = {
    watch(_stream: string, _after: number, told: typeof tell) {
      tell = told;
      return () => {};
    },
  } as unknown as EventTail;
  const parts = { tail, streams: new OpenStreams() };
  const story = { stream: 'build:1', status, ends: TERMINAL_STATUSES, events };
  const app = new Hono().get('/', (c) => answerEvents(c, parts, story, undefined));
  const response = await app.request('/', { headers: { accept: 'text/event-stream' } });
  expect(response.headers.get('x-accel-buffering')).toBe('no');
  const body = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const ids = () => [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
  return {
    tell: (event: RecordedEvent) => tell(event),
    /** Reads until an event has come, or the stream is over. */
    async read(id: number) {
      for (let over = false; !over && !ids().includes(id); ) {
        const { done, value } = await body.read();
        over = done;
        text += value ?? '';
      }
      return ids();
    },
  };
}

it('stays open where a build goes on after an end, and closes where it has ended', async () => {
  const { tell, read } = await open(RETRIED, 'in_progress');
  await read(5);
  // The server may now do what it does after the last event.
  await setImmediate();
  tell(told(6, 'build_completed', 'success'));
  expect(await read(7)).toEqual([1, 2, 3, 4, 5, 6]);
});

it('closes after what is recorded behind the end', async () => {
  const { read } = await open(RETRIED.slice(0, 3), 'failure');
  expect(await read(4)).toEqual([1, 2, 3]);
});
