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
    'https://youtu.be/',
    'not a url at all',
  ])('%j names none', (text) => {
    expect(youtubeVideoId(text)).toBeUndefined();
  });
});
