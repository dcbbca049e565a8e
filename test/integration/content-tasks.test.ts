import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../world/eventually.ts';
import { startOllamaStandIn } from '../world/ollama-stand-in.ts';
import { awayFromQuotaMidnight } from '../world/quota-midnight.ts';
import { DATABASES, openWorld, type World } from '../world/world.ts';
import { startYouTubeStandIn } from '../world/youtube-stand-in.ts';

describe.each(DATABASES)('tasks about content (%s)', (kind) => {
  let world: World;
  let youtube: Awaited<ReturnType<typeof startYouTubeStandIn>>;
  let ollama: Awaited<ReturnType<typeof startOllamaStandIn>>;
  beforeAll(async () => {
    await awayFromQuotaMidnight();
    [youtube, ollama] = await Promise.all([startYouTubeStandIn(), startOllamaStandIn()]);
    world = await openWorld(kind, {
      YOUTUBE_API_KEY: 'the-key',
      YOUTUBE_API_URL: youtube.url,
      YOUTUBE_URL: youtube.url,
      YOUTUBE_DAILY_QUOTA: '24',
      YOUTUBE_PRIORITY_RESERVED: '5',
      OLLAMA_URL: ollama.url,
      TASK_RETRY_DELAY: '50ms',
    });
  }, 600_000);
  afterAll(async () => {
    await world.close();
    await Promise.all([youtube.close(), ollama.close()]);
  });

  const ask = async (name: string, ...args: unknown[]) =>
    (await world.call('POST', '/tasks', { name, args })).json.task_id as string;
  const read = async (id: string) => (await world.call('GET', `/tasks/${id}`)).json;
  const ended = (id: string) =>
    eventually(async () => {
      const task = await read(id);
      if (!task.completed_at) throw new Error(`task ${id} has not ended: ${JSON.stringify(task)}`);
      return task;
    });

  it('bring in a video, embed and summarize it, and find it', async () => {
    youtube.videos.set('abc123', {});
    youtube.videos.set('dQw4w9WgXcQ', { title: 'Tides', captions: ['The moon pulls', 'at the sea.'] });
    const { json } = await world.call('POST', '/youtube/ingest-async?url=https://youtu.be/dQw4w9WgXcQ');
    const video = { status: 'success', content_id: 'yt:dQw4w9WgXcQ', title: 'Tides' };
    expect(await ended(json.task_id)).toMatchObject({ status: 'SUCCESS', result: video });

    const processed = await ended(await ask('process_content', 'yt:dQw4w9WgXcQ', ['summarize']));
    expect(processed).toMatchObject({ status: 'SUCCESS', result: { summarize: 'completed' } });
    const embedded = await ended(await ask('process_content', 'yt:dQw4w9WgXcQ', ['embed']));
    // The Postgres server of these tests has no pgvector.
    if (kind === 'embedded') expect(embedded).toMatchObject({ status: 'SUCCESS', result: { embed: 'completed' } });
    else expect(embedded).toMatchObject({ status: 'FAILURE', error: { type: 'NotConfigured' } });

    const { result } = await ended(await ask('semantic_search', 'what moves the sea', 3));
    expect(result).toMatchObject({ query: 'what moves the sea', method: kind === 'embedded' ? 'hybrid' : 'lexical' });
    expect(result.results[0]).toMatchObject({ content_id: 'yt:dQw4w9WgXcQ', snippet: 'The moon pulls at the sea.' });
    const detail = (await world.call('GET', '/api/v1/content/yt:dQw4w9WgXcQ')).json;
    expect(detail).toMatchObject({ chunks: 1, summaries: [{ model: 'ollama/llama3.2' }] });
  });

  it('try again what may work later, and do not what never will', async () => {
    youtube.videos.set('later000000', { site: 'broken', captions: ['Hello.'] });
    const later = await ask('ingest_youtube', 'later000000');
    await eventually(() => expect(youtube.siteCalls).toContain('GET /watch later000000'));
    youtube.videos.set('later000000', { captions: ['Hello.'] });
    expect(await ended(later)).toMatchObject({ status: 'SUCCESS' });
    const story = (await world.call('GET', `/tasks/${later}/events`)).json;
    expect(story.map(({ event_type }: { event_type: string }) => event_type)).toContain('task_retried');
    youtube.videos.set('never000000', {});
    const never = await ended(await ask('ingest_youtube', 'never000000'));
    expect(never).toMatchObject({ status: 'FAILURE', error: { type: 'TranscriptUnavailable' } });
    expect(youtube.apiCalls.filter((id) => id === 'never000000' || id === 'later000000')).toHaveLength(2);
  });

  it('bring in a video once, also where several ask for it at the same time, each under an id of its own', async () => {
    const id = 'together000';
    youtube.videos.set(id, { title: 'Asked for by three', captions: ['Hello.'] });
    const ids = [1, 2, 3].map((number) => `together-${number}`);
    await Promise.all(
      ids.map((task_id) => world.call('POST', '/tasks', { name: 'ingest_youtube', args: [id], task_id })),
    );
    const result = { status: 'success', content_id: `yt:${id}`, title: 'Asked for by three' };
    for (const task of await Promise.all(ids.map(ended))) {
      expect(task).toMatchObject({ status: 'SUCCESS', retries: 0, result });
    }
    expect(youtube.apiCalls.filter((asked) => asked === id)).toHaveLength(1);
    expect(youtube.siteCalls.filter((call) => call.endsWith(id))).toEqual([
      `GET /watch ${id}`,
      `GET /api/timedtext ${id}`,
    ]);
    expect((await world.call('GET', `/api/v1/content/yt:${id}`)).json).toMatchObject({ version: 1, chunks: 1 });
  });

  it('of 40 at once against a quota of 20 with 5 reserved do 15; then 5 of 7 with priority, and 2 wait', async () => {
    const before = youtube.apiCalls.length;
    expect(before).toBe(4);
    const many = (count: number, prefix: string, priority: boolean) =>
      Promise.all(
        Array.from({ length: count }, async (_, index) => {
          const id = `${prefix}${String(index).padStart(10 - prefix.length + 1, '0')}`;
          youtube.videos.set(id, { captions: ['Hello.'] });
          return ask('ingest_youtube', id, priority);
        }),
      );
    const tasks = await Promise.all((await many(40, 'n', false)).map(ended));
    const failed = tasks.filter(({ status }) => status === 'FAILURE');
    expect([tasks.filter(({ status }) => status === 'SUCCESS').length, failed.length]).toEqual([15, 25]);
    for (const { error } of failed) expect(error.message).toBe('YouTube API quota exceeded');
    const ids = await many(7, 'p', true);
    await eventually(async () => {
      const now = (await Promise.all(ids.map(read))).map(({ status }) => status).toSorted();
      expect(now).toEqual(['RETRY', 'RETRY', ...Array(5).fill('SUCCESS')]);
    });
    const waiting = (await Promise.all(ids.map(read))).find(({ status }) => status === 'RETRY');
    const events = (await world.call('GET', `/tasks/${waiting.task_id}/events`)).json;
    expect(events.at(-1)).toMatchObject({
      event_type: 'task_retried',
      event_data: { counted: false, error: { type: 'QuotaExceeded' } },
    });
    expect(youtube.apiCalls.length - before).toBe(20);
    expect((await world.call('GET', '/api/v1/quota/youtube')).json.units_remaining).toBe(0);
    expect((await world.call('GET', '/metrics')).text).toContain(
      'hapax_youtube_quota_requests_total{outcome="refused"} 25',
    );
    for (const id of ids) await world.call('POST', `/tasks/${id}/cancel`, {});
  });
});
