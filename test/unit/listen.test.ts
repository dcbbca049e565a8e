import { Hono } from 'hono';
import { expect, it } from 'vitest';
import type { ApiEnvironment } from '../../src/api/environment.ts';
import { OpenStreams } from '../../src/api/events/open-streams.ts';
import { listen } from '../../src/api/listen.ts';

it('ends streams at once when it closes, lets a request finish, and keeps no connection open', async () => {
  const streams = new OpenStreams();
  const begun = Promise.withResolvers<void>();
  const work = Promise.withResolvers<void>();
  const app = new Hono<ApiEnvironment>()
    .get('/stream', (c) =>
      streams.serve(c, async ({ gone, send }) => {
        await send({ id: 1 });
        if (!gone.aborted) await new Promise((resolve) => gone.addEventListener('abort', resolve));
      }),
    )
    .get('/job', async (c) => {
      begun.resolve();
      await work.promise;
      return c.text('done');
    });
  const { url, close } = await listen(app.fetch, '127.0.0.1', 0);
  const stream = await fetch(`${url}/stream`);
  const working = fetch(`${url}/job`);
  await begun.promise;
  const closing = close();
  expect(await stream.text()).toBe('id: 1\n\n');
  expect(streams.count).toBe(0);
  await expect(fetch(`${url}/job`)).rejects.toThrow();
  work.resolve();
  expect(await (await working).text()).toBe('done');
  await closing;
});
