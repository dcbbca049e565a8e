import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BodyTooLong, CodingFault, unpacked } from '../../src/integrations/content/content-coding.ts';

const BODY = Buffer.from('<p>Tides are caused by the moon.</p>'.repeat(100));
const MAX = 10_000;

describe('a packed body', () => {
  it.each<[string | undefined, Buffer]>([
    ['gzip', gzipSync(BODY)],
    ['x-gzip', gzipSync(BODY)],
    ['GZip', gzipSync(BODY)],
    ['deflate', deflateSync(BODY)],
    ['deflate', deflateSync(BODY, { level: 0 })],
    ['deflate', deflateRawSync(BODY)],
    ['deflate', deflateRawSync(BODY, { level: 0 })],
    ['br', brotliCompressSync(BODY)],
    ['zstd', zstdCompressSync(BODY)],
    ['deflate, gzip', gzipSync(deflateRawSync(BODY))],
    ['gzip,br', brotliCompressSync(gzipSync(BODY))],
    ['identity', BODY],
    ['utf-8', BODY],
    ['', BODY],
    [undefined, BODY],
    // Without the check sum and length at their end, as some servers send them; and with a line end behind it.
    ['gzip', gzipSync(BODY).subarray(0, -8)],
    ['deflate', deflateSync(BODY).subarray(0, -4)],
    ['gzip', Buffer.concat([gzipSync(BODY), Buffer.from('\r\n')])],
    ['gzip', Buffer.concat([gzipSync(BODY), Buffer.alloc(512)])],
    ['gzip', Buffer.concat([gzipSync(BODY.subarray(0, 600)), gzipSync(BODY.subarray(600))])],
  ])('is unpacked from %s', async (header, packed) => {
    expect((await unpacked(packed, header, MAX)).equals(BODY)).toBe(true);
  });

  it('may be empty, whatever it says', async () => {
    expect(await unpacked(Buffer.alloc(0), 'gzip', MAX)).toHaveLength(0);
  });

  it.each(['gzip', 'deflate', 'br', 'zstd'])('is refused where it is not in %s', async (header) => {
    await expect(unpacked(Buffer.from('no such thing'), header, MAX)).rejects.toThrow(CodingFault);
  });

  it('is unpacked no further than it may be, at each layer', async () => {
    const zeros = Buffer.alloc(50_000_000);
    for (const [header, packed] of [
      ['gzip', gzipSync(zeros)],
      ['deflate', deflateRawSync(zeros)],
      ['br', brotliCompressSync(zeros)],
      ['zstd', zstdCompressSync(zeros)],
      ['gzip, gzip', gzipSync(gzipSync(zeros))],
    ] as const) {
      await expect(unpacked(packed, header, MAX)).rejects.toThrow(BodyTooLong);
    }
    await expect(unpacked(gzipSync(BODY), 'gzip,gzip,gzip,gzip,gzip,gzip', MAX)).rejects.toThrow(CodingFault);
  });
});
