import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { youtubeVideoId } from '../../src/contracts/content/youtube-video.ts';

const ID = 'dQw4w9WgXcQ';

describe('the video that a text names', () => {
  it.each([
    ID,
    ` ${ID} `,
    `https://www.youtube.com/watch?v=${ID}`,
    `http://youtube.com/watch?feature=share&v=${ID}&t=42s#t=1`,
    `HTTPS://WWW.YOUTUBE.COM/watch?v=${ID}`,
    `https://m.youtube.com/watch?v=${ID}`,
    `https://music.youtube.com/watch?v=${ID}&list=RDAMVM${ID}`,
    `https://youtu.be/${ID}?si=abc`,
    `youtu.be/${ID}`,
    `youtube.com/watch?v=${ID}`,
    `https://www.youtube.com/shorts/${ID}`,
    `https://www.youtube.com/live/${ID}?feature=share`,
    `https://www.youtube.com/embed/${ID}?autoplay=1`,
    `https://www.youtube-nocookie.com/embed/${ID}`,
    `https://www.youtube.com/v/${ID}`,
    `https://youtu.be/${ID}&feature=share`,
    `https://www.youtube.com/shorts/${ID}/`,
    `https://www.youtube.com/attribution_link?a=x&u=%2Fwatch%3Fv%3D${ID}%26feature%3Dshare`,
    `https://www.youtube.com/oembed?url=https%3A%2F%2Fwww.youtube.com%2Fwatch%3Fv%3D${ID}&format=json`,
    `https://www.youtube.com/oembed?format=json&url=https%3A%2F%2Fyoutu.be%2F${ID}`,
    `https://youtu.be/watch?v=${ID}`,
    `https://youtu.be/watch?feature=shared&v=${ID}`,
    `https://youtu.be/shorts/${ID}?si=x`,
    `https://youtu.be/live/${ID}`,
    `https://youtu.be/embed/${ID}`,
    `https://youtu.be/v/${ID}`,
    `https://youtu.be/?v=${ID}`,
    `https://youtu.be/${ID}/`,
    `https://youtu.be/${ID}?list=PL1234567890&index=2`,
    `https://www.youtu.be/${ID}`,
    `HTTPS://YOUTU.BE/${ID}`,
    `https://youtube.com./watch?v=${ID}`,
    `https://www.youtube.com/WATCH?v=${ID}`,
    `https://www.youtube.com/watch/?v=${ID}`,
    `https://www.youtube.com/watch/${ID}`,
    `https://www.youtube.com//watch?v=${ID}`,
    `https://www.youtube.com/watch?v=${ID}?si=x`,
    `https://www.youtube.com/watch?v=${ID}&amp;t=4`,
    `https://www.youtube.com/watch?list=PL1&amp;v=${ID}`,
    `https://www.youtube.com/watch?v=%20${ID}`,
    `https://www.youtube.com/watch?v=${ID}).`,
    `https://www.youtube.com/watch?v=${ID}&u=%2Fwatch%3Fv%3Daaaaaaaaaaa`,
    `https://www.youtube.com/watch?v=&v=${ID}&vi=${ID}`,
    `https://www.youtube.com/watch?vi=${ID}`,
    `https://www.youtube.com/?v=${ID}`,
    `https://www.youtube.com/?feature=player_embedded&v=${ID}`,
    `https://www.youtube.com/watch_popup?v=${ID}`,
    `https://www.youtube.com/live_chat?is_popout=1&v=${ID}`,
    `https://www.youtube.com/vi/${ID}/hqdefault.jpg`,
    `https://img.youtube.com/vi/${ID}/0.jpg`,
    `https://i.ytimg.com/vi_webp/${ID}/maxresdefault.webp`,
    `https://www.youtube.com/e/${ID}`,
    `https://www.youtube.com/embed/${ID}&rel=0`,
    `https://www.youtube.com/v/${ID}&hl=en_US&fs=1`,
    `https://www.youtube.com/embed/?v=${ID}`,
    `https://youtube.googleapis.com/v/${ID}`,
    `https://www.youtubekids.com/watch?v=${ID}`,
    `https://www.youtubeeducation.com/embed/${ID}`,
    `https://gaming.youtube.com/watch?v=${ID}`,
    `https://tv.youtube.com/watch/${ID}`,
    `https://studio.youtube.com/video/${ID}/edit`,
    `https://www.youtube.com/tv#/watch?v=${ID}`,
    `https://m.youtube.com/#/watch?v=${ID}`,
    `https://www.youtube.com/watch#!v=${ID}`,
    `https://www.youtube.com/signin?next=%2Fwatch%3Fv%3D${ID}`,
    `https://www.youtube.com/redirect?event=comments&q=https%3A%2F%2Fyoutu.be%2F${ID}&v=aaaaaaaaaaa`,
    `https://consent.youtube.com/m?continue=https%3A%2F%2Fwww.youtube.com%2Fwatch%3Fv%3D${ID}&gl=DE`,
    `vnd.youtube:${ID}`,
    `vnd.youtube:${ID}?vndapp=youtube`,
    `vnd.youtube://${ID}`,
    `youtube://www.youtube.com/watch?v=${ID}`,
  ])('%s', (text) => {
    expect(youtubeVideoId(text)).toBe(ID);
  });

  it('is taken from a URL whatever its length', () => {
    expect(youtubeVideoId('https://youtube.com/watch?v=abc123')).toBe('abc123');
  });

  it.each([
    '',
    'abc123',
    'https://vimeo.com/12345678901',
    `https://youtube.com.evil.test/watch?v=${ID}`,
    `https://notyoutube.com/watch?v=${ID}`,
    `ftp://youtube.com/watch?v=${ID}`,
    'https://www.youtube.com/watch',
    'https://www.youtube.com/watch?v=',
    'https://www.youtube.com/watch?v=a/b',
    'https://www.youtube.com/@somebody',
    'https://www.youtube.com/embed/videoseries?list=PL123',
    'https://www.youtube.com/embed/live_stream?channel=UC123',
    'https://youtu.be/',
    'not a url at all',
    // Words of the site's own routes, wherever an id could stand.
    'https://youtu.be/watch',
    'https://youtu.be/shorts/',
    'https://youtu.be/playlist?list=PL1234567890',
    'https://youtu.be/embed/videoseries?list=PL123',
    'https://youtu.be/live_stream?channel=UC123',
    'https://youtu.be/watch_popup',
    'https://youtu.be/channel/UC1234567890',
    'https://youtu.be/attribution_link?a=x',
    'https://youtu.be/@somebody',
    'https://youtu.be/Watch',
    'https://youtu.be/feed/trending',
    'https://www.youtube.com/embed/watch',
    'https://www.youtube.com/shorts/live_stream',
    'https://www.youtube.com/watch?v=videoseries',
    'videoseries',
    'https://www.youtube.com/channel/UCabcdefghijk',
    'https://www.youtube.com/c/elevenchars',
    'https://www.youtube.com/user/elevenchars',
    'https://www.youtube.com/clip/UgkxabcdefghijklmnopqrstuvwxyZ',
    'https://www.youtube.com/playlist?list=PL1234567890',
    'https://www.youtube.com/results?search_query=elevenchars',
    // Several, or none of the site's own.
    `https://www.youtube.com/watch_videos?video_ids=${ID},aaaaaaaaaaa`,
    `https://www.youtube.com/redirect?q=https%3A%2F%2Fexample.com&v=${ID}`,
    `https://www.youtube.com/oembed?url=https%3A%2F%2Fvimeo.com%2Fwatch%3Fv%3D${ID}`,
    `https://www.youtube.com@evil.test/watch?v=${ID}`,
    `https://evil.test/youtube.com/watch?v=${ID}`,
    `https://youtu.be.evil.test/${ID}`,
    `${'https://www.youtube.com/redirect?q='.repeat(5)}${ID}`,
  ])('%j names none', (text) => {
    expect(youtubeVideoId(text)).toBeUndefined();
  });

  it('is the same in every form, whatever else stands in it', () => {
    const id = fc.stringMatching(/^[A-Za-z0-9_-]{11}$/).filter((one) => !/^[a-z_]+$/i.test(one));
    const word = fc.stringMatching(/^[a-z]{1,8}$/).filter((name) => !['v', 'vi'].includes(name));
    const junk = fc.array(fc.tuple(word, fc.string({ maxLength: 12 })), { maxLength: 4 });
    const scheme = fc.constantFrom('', 'http://', 'https://', 'HTTPS://');
    const host = fc.constantFrom(
      'youtube.com',
      'www.youtube.com',
      'm.youtube.com',
      'music.youtube.com',
      'WWW.YouTube.com',
    );
    const space = fc.constantFrom('', ' ', '\n');
    const form = fc.constantFrom('watch', 'short', 'shortWatch', 'shorts', 'live', 'embed', 'v');
    fc.assert(
      fc.property(id, form, scheme, host, junk, junk, space, (video, kind, protocol, at, before, after, around) => {
        const query = (pairs: Array<[string, string]>) => new URLSearchParams(pairs).toString();
        const tail = after.length > 0 ? `?${query(after)}` : '';
        const url =
          kind === 'watch'
            ? `${protocol}${at}/watch?${query([...before, ['v', video], ...after])}`
            : kind === 'shortWatch'
              ? `${protocol}youtu.be/watch?${query([...before, ['v', video], ...after])}`
              : kind === 'short'
                ? `${protocol}youtu.be/${video}${tail}`
                : `${protocol}${at}/${kind}/${video}${tail}`;
        expect(youtubeVideoId(`${around}${url}${around}`)).toBe(video);
      }),
      { numRuns: 1_000 },
    );
  });

  it('is text that needs no escaping anywhere, or none, for any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl({ withQueryParameters: true })), (text) => {
        expect(youtubeVideoId(text) ?? 'none').toMatch(/^[A-Za-z0-9_-]{1,64}$/);
      }),
    );
  });
});
