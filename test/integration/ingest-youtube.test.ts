import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ingestYoutube, type YouTubeDependencies } from '../../src/activities/ingest-youtube.ts';
import { recordUnregisteredTask } from '../../src/commands/tasks/record-unregistered-task.ts';
import { quotaDay, quotaReset } from '../../src/domain/content/quota-day.ts';
import { YouTube } from '../../src/integrations/content/youtube.ts';
import { findContent, findContentDetail } from '../../src/store/content/content-find.ts';
import { postgresContent } from '../../src/store/content/postgres-content.ts';
import { findUnitsUsed } from '../../src/store/content/quota-find.ts';
import { reserveQuota } from '../../src/store/content/quota-reserve.ts';
import { attempt, faultOf, openBlobs } from '../world/content-world.ts';
import { eventually } from '../world/eventually.ts';
import { steadyPort } from '../world/steady-port.ts';
import { DATABASES, openTestDatabase } from '../world/world.ts';
import { startYouTubeStandIn, type Video } from '../world/youtube-stand-in.ts';

const HOUR = 3_600_000;

describe.each(DATABASES)('ingest_youtube (%s)', (kind) => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let youtube: Awaited<ReturnType<typeof startYouTubeStandIn>>;
  let kept: Awaited<ReturnType<typeof openBlobs>>;
  let deps: YouTubeDependencies;
  // A day of its own for each test.
  let now = Date.parse('2026-11-22T20:00:00Z');
  let made = 0;
  beforeAll(async () => {
    [database, youtube, kept] = await Promise.all([openTestDatabase(kind), startYouTubeStandIn(), openBlobs()]);
  });
  beforeEach(() => {
    now = quotaReset(now) + 6 * HOUR;
    youtube.apiCalls.length = 0;
    youtube.siteCalls.length = 0;
    deps = {
      db: database.db,
      content: postgresContent(database.db),
      blobs: kept.blobs,
      youtube: new YouTube({ apiUrl: youtube.url, apiKey: 'the-key', siteUrl: youtube.url }),
      quota: { dailyUnits: 20, priorityReserved: 5 },
      clock: () => now,
    };
  });
  afterAll(() => Promise.all([database.close(), youtube.close(), kept.close()]));

  /** A video that YouTube has. */
  const video = (given: Video = { captions: ['Hello.'] }) => {
    const id = `v${String(++made).padStart(10, '0')}`;
    youtube.videos.set(id, given);
    return id;
  };
  const ingest = (url: string, args: object = {}, context = attempt()) =>
    ingestYoutube(deps, { url, priority: false, ...args }, context);
  const used = () => findUnitsUsed(database.db, quotaDay(now));

  it('keeps what is said, under the title that the Data API gives', async () => {
    const id = video({ title: 'How & why', captions: ['It&#39;s <b>one</b> &amp; two.', 'Naïve “quotes”; 3 &lt; 4.'] });
    expect(await ingest(`https://youtu.be/${id}?si=x`, { tags: ['mine'] })).toEqual({
      status: 'success',
      content_id: `yt:${id}`,
      title: 'How & why',
    });
    const detail = await findContentDetail(database.db, `yt:${id}`, true);
    expect(detail).toMatchObject({
      type: 'youtube',
      url: `https://www.youtube.com/watch?v=${id}`,
      author: 'A channel',
      language: 'en',
      published_at: '2026-01-02T03:04:05.000Z',
      tags: ['mine', 'talk'],
      version: 1,
      chunk_texts: ["It's one & two. Naïve “quotes”; 3 < 4."],
    });
    const row = await findContent(database.db, `yt:${id}`);
    expect(JSON.parse(await readFile(join(kept.directory, row?.blob_key ?? ''), 'utf8'))).toEqual([
      { at: 0.5, text: "It's one & two." },
      { at: 2.5, text: 'Naïve “quotes”; 3 < 4.' },
    ]);
    expect([...youtube.keys]).toEqual(['the-key']);
  });

  it('keeps captions with a word to each element, in the language that is spoken', async () => {
    const words = (text: string) =>
      `<?xml version="1.0" encoding="utf-8" ?><timedtext format="3"><body><p t="0" d="9" w="1">${text
        .split(/(?= )/)
        .map((word) => `<s ac="0">${word}</s>`)
        .join('')}</p></body></timedtext>`;
    const document = { ar: words('المد والجزر'), 'en-US': words('The moon pulls.'), fr: words('La lune tire.') };
    const textOf = async (given: Video) => {
      const { content_id } = await ingest(video(given));
      const detail = await findContentDetail(database.db, content_id, true);
      return [detail?.language, detail?.chunk_texts?.join('')];
    };
    // The Data API says "en"; without it, the player's default counts.
    expect(await textOf({ document })).toEqual(['en-US', 'The moon pulls.']);
    const audioTracks = [{ captionTrackIndices: [1, 0, 2], defaultCaptionTrackIndex: 2, hasDefaultTrack: true }];
    expect(await textOf({ document, api: 'broken', list: { audioTracks, defaultAudioTrackIndex: 0 } })).toEqual([
      'fr',
      'La lune tire.',
    ]);
  });

  it('is once per video, whatever the URL, and takes one unit', async () => {
    const id = video();
    const forms = [`https://www.youtube.com/watch?v=${id}`, `youtu.be/${id}`, `https://m.youtube.com/shorts/${id}`, id];
    const results = [];
    for (const form of forms) results.push(await ingest(form));
    expect(new Set(results.map(({ content_id }) => content_id)).size).toBe(1);
    expect([youtube.apiCalls, await used()]).toEqual([[id], 1]);
  });

  it('is once per video for many at once: one asks, the others wait without using up a retry', async () => {
    const id = video();
    const found = await Promise.all(Array.from({ length: 8 }, () => faultOf(ingest(id))));
    expect(youtube.apiCalls).toEqual([id]);
    for (const one of found) {
      if ('result' in one) expect(one.result).toMatchObject({ content_id: `yt:${id}`, title: `Title of ${id}` });
      else expect(one).toMatchObject({ name: 'RetryableTaskError', counted: false });
    }
    expect(await ingest(id)).toMatchObject({ title: `Title of ${id}` });
  });

  it('takes the transcript of the caller, and then asks no player', async () => {
    const id = video({});
    await ingest(id, { transcript_text: 'What was said.\u0000 \ud83d' });
    expect((await findContentDetail(database.db, `yt:${id}`, true))?.chunk_texts).toEqual([
      'What was said.\ufffd \ufffd',
    ]);
    expect(youtube.siteCalls).toEqual([]);
  });

  it.each(['missing', 'quota', 'broken', 'garbage', 'reset'] as const)(
    'goes on without a title where the Data API fails (%s), and asks it no second time that day',
    async (api) => {
      const id = video({ captions: ['Hello.'], api });
      expect(await ingest(id)).toMatchObject({ title: `YouTube: ${id}` });
      expect([youtube.apiCalls.length, await used()]).toEqual([1, 1]);
    },
  );

  it('takes no unit for a call that could not be sent', async () => {
    const nowhere = `http://127.0.0.1:${await steadyPort()}`;
    deps.youtube = new YouTube({ apiUrl: nowhere, apiKey: 'the-key', siteUrl: youtube.url });
    const id = video();
    expect(await ingest(id)).toMatchObject({ title: `YouTube: ${id}` });
    expect(await used()).toBe(0);
  });

  it('asks nothing without a key', async () => {
    deps.youtube = new YouTube({ apiUrl: youtube.url, apiKey: undefined, siteUrl: youtube.url });
    deps.quota = { dailyUnits: 0, priorityReserved: 0 };
    const id = video();
    expect(await ingest(id)).toMatchObject({ title: `YouTube: ${id}` });
    expect(youtube.apiCalls).toEqual([]);
    // It is once per video nonetheless.
    const other = video();
    const found = await Promise.all(Array.from({ length: 4 }, () => faultOf(ingest(other))));
    expect(youtube.siteCalls.filter((call) => call === `GET /watch ${other}`)).toHaveLength(1);
    for (const one of found) if (!('result' in one)) expect(one).toMatchObject({ type: 'VideoBusy', counted: false });
    expect(await used()).toBe(0);
  });

  it('makes no second call where it is not known whether the first was made', async () => {
    const id = video();
    const key = `videos.list:${id}:${quotaDay(now)}`;
    // As one that was killed between taking the unit and hearing the answer leaves it.
    await reserveQuota(database.db, { key, holder: 'killed', units: 1, ceiling: 20, at: now });
    expect(await faultOf(ingest(id, {}, attempt({ taskId: 'other' })))).toMatchObject({
      counted: false,
      retryAfterMs: 2_000,
    });
    expect(await ingest(id, {}, attempt({ taskId: 'killed' }))).toMatchObject({ title: `YouTube: ${id}` });
    expect([youtube.apiCalls, await used()]).toEqual([[], 1]);
  });

  it('waits for another task that brings in the video, but not for one that has failed', async () => {
    const id = video({});
    const first = attempt();
    expect(await faultOf(ingest(id, {}, first))).toMatchObject({ type: 'TranscriptUnavailable' });
    expect(await faultOf(ingest(id))).toMatchObject({ type: 'VideoBusy', counted: false });
    const failed = { name: 'ingest_youtube', args: [id], kwargs: {}, taskId: first.taskId };
    await recordUnregisteredTask(database, { ...failed, caller: 'local', source: 'http' });
    expect(await ingest(id, { transcript_text: 'What was said.' })).toMatchObject({ title: `Title of ${id}` });
    expect(youtube.apiCalls).toEqual([id]);
  });

  it('leaves a video as it is that another task has brought in while its captions came slowly', async () => {
    const { promise: captionsAfter, resolve: send } = Promise.withResolvers<void>();
    const id = video({ captions: ['Hello.'], captionsAfter });
    const slow = ingest(id);
    await eventually(() => expect(youtube.siteCalls).toContain(`GET /api/timedtext ${id}`));
    // Its turn is over.
    now += HOUR / 2;
    await ingest(id, { transcript_text: 'What was said.' });
    send();
    expect(await slow).toMatchObject({ content_id: `yt:${id}` });
    expect(await findContentDetail(database.db, `yt:${id}`, true)).toMatchObject({
      ...{ version: 1, chunk_texts: ['What was said.'] },
    });
  });

  it('of 40 at once against a quota of 20 with 5 reserved does 15; then 5 of 7 with priority, and 2 wait', async () => {
    const many = (count: number, priority: boolean) =>
      Promise.all(Array.from({ length: count }, () => faultOf(ingest(video(), { priority }))));
    const first = await many(40, false);
    expect(first.filter((one) => 'result' in one)).toHaveLength(15);
    const refused = first.filter((one) => !('result' in one));
    expect(refused).toHaveLength(25);
    for (const one of refused) {
      expect(one).toMatchObject({ name: 'PermanentTaskError', message: 'YouTube API quota exceeded' });
    }
    const priority = await many(7, true);
    expect(priority.filter((one) => 'result' in one)).toHaveLength(5);
    const waiting = priority.filter((one) => !('result' in one));
    expect(waiting).toHaveLength(2);
    for (const one of waiting)
      expect(one).toMatchObject({ name: 'RetryableTaskError', counted: false, retryAfterMs: HOUR });
    expect([youtube.apiCalls.length, await used()]).toEqual([20, 20]);

    // Half an hour before the reset they wait until just after it; then there is quota again.
    const late = video();
    now = quotaReset(now) - HOUR / 2;
    expect(await faultOf(ingest(late, { priority: true }))).toMatchObject({ retryAfterMs: HOUR / 2 + 2_000 });
    now += HOUR / 2 + 2_000;
    expect(await ingest(late, { priority: true })).toMatchObject({ status: 'success' });
  });

  it.each([
    ['has no captions', { site: undefined }, 'PermanentTaskError', 'TranscriptUnavailable'],
    ['is not there', { site: 'gone' }, 'PermanentTaskError', 'VideoUnavailable'],
    ['is private', { site: 'private' }, 'PermanentTaskError', 'VideoUnavailable'],
    ['is behind a page of consent', { site: 'consent' }, 'RetryableTaskError', 'YouTubeBlocked'],
    ['is shown to no robot', { site: 'bot' }, 'RetryableTaskError', 'YouTubeBlocked'],
    ['was asked for too often', { site: 'too-many' }, 'RetryableTaskError', 'YouTubeBlocked'],
    ['has captions that come empty', { site: 'empty', captions: ['Hello.'] }, 'RetryableTaskError', 'YouTubeBlocked'],
    [
      'has captions that break off',
      { document: { en: '<transcript><text start="0">Hello.' } },
      'RetryableTaskError',
      'YouTubeUnavailable',
    ],
    [
      'has a page for captions',
      { document: { en: '<html>Before you continue</html>' } },
      'RetryableTaskError',
      'YouTubeBlocked',
    ],
    [
      'has captions of a form that is not known',
      { document: { en: 'WEBVTT' } },
      'PermanentTaskError',
      'TranscriptUnavailable',
    ],
    [
      'has captions without a word',
      { document: { en: '<transcript><text start="0"/></transcript>' } },
      'PermanentTaskError',
      'TranscriptUnavailable',
    ],
    [
      'is answered with another one',
      { site: 'substitute', captions: ['Not available.'] },
      'RetryableTaskError',
      'YouTubeBlocked',
    ],
    ['has a player that is not understood', { site: 'garbage' }, 'RetryableTaskError', 'YouTubeBlocked'],
    ['cannot be had now', { site: 'broken' }, 'RetryableTaskError', 'YouTubeUnavailable'],
    ['is on a connection that breaks', { site: 'reset' }, 'RetryableTaskError', 'YouTubeUnavailable'],
  ] as const)('says whether trying again helps where a video %s', async (_, given, name, type) => {
    const id = video(given as Video);
    const task = attempt();
    expect(await faultOf(ingest(id, {}, task))).toMatchObject({ name, type });
    expect(await findContent(database.db, `yt:${id}`)).toBeUndefined();
    // Once the reason is gone, the next try works, for the same unit.
    youtube.videos.set(id, { captions: ['Hello.'] });
    expect(await ingest(id, {}, task)).toMatchObject({ status: 'success' });
    expect(await used()).toBe(1);
  });
});
