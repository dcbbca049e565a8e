import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../world/eventually.ts';
import { startYouTubeStandIn } from '../world/youtube-stand-in.ts';
import { installation } from './program.ts';

const TASKS = 60;

it('has in the embedded SurrealDB what the record says, once, where everything is killed while content comes in', async () => {
  const youtube = await startYouTubeStandIn({});
  onTestFinished(() => youtube.close());
  const hapax = await installation(youtube, { CONTENT_STORE: 'surrealdb', WORKER_CONCURRENCY: '4' });
  hapax.start();
  await hapax.ready();
  const asked = <T>(method: string, path: string, body?: object) =>
    eventually(async () => {
      const { status, json, text } = await hapax.call(method, path, body);
      if (status >= 300) throw new Error(`${status} ${text}`);
      return json as T;
    });
  const videoOf = (index: number) => `k${String(index).padStart(10, '0')}`;
  const textOf = (index: number) => `Words of video ${index}. `.repeat(100);
  const accepting = Promise.all(
    Array.from({ length: TASKS }, (_, index) =>
      asked<{ task_id: string }>('POST', '/tasks', {
        name: 'ingest_youtube',
        kwargs: { url: `https://youtu.be/${videoOf(index)}`, transcript_text: textOf(index) },
      }),
    ),
  );
  for (const count of [5, 20, 40]) {
    await eventually(async () => {
      const { contents } = (await hapax.call('GET', '/api/v1/content?limit=100')).json;
      expect(contents.length).toBeGreaterThanOrEqual(count);
    }, 120_000);
    await hapax.killAll();
    hapax.start();
    await hapax.ready();
  }
  for (const { task_id } of await accepting) {
    await eventually(async () => {
      expect((await hapax.call('GET', `/tasks/${task_id}`)).json).toMatchObject({ status: 'SUCCESS' });
    }, 120_000);
  }
  const { contents } = await asked<{ contents: unknown[] }>('GET', '/api/v1/content?limit=100');
  expect(contents).toHaveLength(TASKS);
  for (let index = 0; index < TASKS; index++) {
    const detail = await asked<{ version: number; chunk_texts: string[] }>(
      'GET',
      `/api/v1/content/yt:${videoOf(index)}?chunks=true`,
    );
    expect([detail.version, detail.chunk_texts.join('')]).toEqual([1, textOf(index)]);
  }
}, 400_000);
