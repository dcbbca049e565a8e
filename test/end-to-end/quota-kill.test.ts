import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../world/eventually.ts';
import { awayFromQuotaMidnight } from '../world/quota-midnight.ts';
import { startYouTubeStandIn } from '../world/youtube-stand-in.ts';
import { installation } from './program.ts';

it('spends no more quota than there is where everything is killed: of 40 ingestions 15 are done, of 7 with priority 5', async () => {
  await awayFromQuotaMidnight();
  const youtube = await startYouTubeStandIn({ apiDelayMs: 200 });
  onTestFinished(() => youtube.close());
  const hapax = await installation(youtube, {
    YOUTUBE_API_KEY: 'the-key',
    YOUTUBE_API_URL: youtube.url,
    YOUTUBE_URL: youtube.url,
    YOUTUBE_DAILY_QUOTA: '20',
    YOUTUBE_PRIORITY_RESERVED: '5',
    WORKER_CONCURRENCY: '3',
  });
  hapax.start();
  await hapax.ready();
  const ingest = (id: string, priority: boolean) => {
    youtube.videos.set(id, { captions: ['Hello.'] });
    return eventually(async () => {
      const answer = await hapax.call('POST', '/tasks', { name: 'ingest_youtube', args: [id, priority] });
      if (answer.status !== 202) throw new Error(`${answer.status} ${answer.text}`);
      return answer.json.task_id as string;
    });
  };
  const status = async (id: string) => {
    const { json } = await hapax.call('GET', `/tasks/${id}`);
    if (!json?.status) throw new Error('no answer');
    return json.status as string;
  };
  const many = (count: number, prefix: string, priority: boolean) =>
    Promise.all(
      Array.from({ length: count }, (_, index) => ingest(`${prefix}${String(index).padStart(10, '0')}`, priority)),
    );

  const accepting = many(40, 'n', false);
  // Killed with calls under way, twice.
  for (const calls of [4, 9]) {
    await eventually(() => expect(youtube.apiCalls.length).toBeGreaterThanOrEqual(calls));
    await hapax.killAll();
    hapax.start();
    await hapax.ready();
  }
  const ids = await accepting;
  const ends = await eventually(async () => {
    const now = await Promise.all(ids.map(status));
    expect(now.filter((one) => one !== 'SUCCESS' && one !== 'FAILURE')).toEqual([]);
    return now;
  }, 120_000);
  expect([ends.filter((one) => one === 'SUCCESS').length, ends.filter((one) => one === 'FAILURE').length]).toEqual([
    15, 25,
  ]);

  const urgent = await many(7, 'p', true);
  await eventually(async () => {
    const now = (await Promise.all(urgent.map(status))).toSorted();
    expect(now).toEqual(['RETRY', 'RETRY', ...Array(5).fill('SUCCESS')]);
  });
  expect(youtube.apiCalls.length).toBeLessThanOrEqual(20);
  expect(new Set(youtube.apiCalls).size).toBe(youtube.apiCalls.length);
  expect((await hapax.call('GET', '/api/v1/quota/youtube')).json).toMatchObject({ units_used: 20, units_remaining: 0 });
}, 600_000);
