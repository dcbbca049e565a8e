import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { youtubeVideoId } from '../../src/contracts/youtube-video.ts';

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
  ])('%j names none', (text) => {
    expect(youtubeVideoId(text)).toBeUndefined();
  });

  it('is the same in every form, whatever else stands in it', () => {
    const id = fc.stringMatching(/^[A-Za-z0-9_-]{11}$/).filter((one) => one !== 'videoseries' && one !== 'live_stream');
    const word = fc.stringMatching(/^[a-z]{1,8}$/).filter((name) => !['v', 'u', 'url'].includes(name));
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
    const form = fc.constantFrom('watch', 'short', 'shorts', 'live', 'embed', 'v');
    fc.assert(
      fc.property(id, form, scheme, host, junk, junk, space, (video, kind, protocol, at, before, after, around) => {
        const query = (pairs: Array<[string, string]>) => new URLSearchParams(pairs).toString();
        const tail = after.length > 0 ? `?${query(after)}` : '';
        const url =
          kind === 'watch'
            ? `${protocol}${at}/watch?${query([...before, ['v', video], ...after])}`
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
