import { describe, expect, it } from 'vitest';
import { declaredType, kindOf } from '../../src/integrations/content/page-type.ts';
import { cpuMsOf } from '../world/cpu-time.ts';

const kind = (header: string | undefined, body: string | Buffer) =>
  kindOf(declaredType(header), Buffer.from(body as string));

describe('how a page is read', () => {
  it.each([
    ['text/html', 'html', undefined],
    ['TEXT/HTML; Charset="UTF-8"', 'html', 'UTF-8'],
    ['text/html;charset=utf-8;', 'html', 'utf-8'],
    [' text/html ; charset = utf-8', 'html', undefined],
    ["text/html; charset='utf-8'", 'html', "'utf-8'"],
    ['text/html, text/html; charset=koi8-r', 'html', 'koi8-r'],
    ['text/html; charset=koi8-r, text/html', 'html', 'koi8-r'],
    ['text/html; charset=koi8-r, text/plain', 'text', undefined],
    ['application/xhtml+xml', 'xml', undefined],
    ['text/xml', 'xml', undefined],
    ['text/plain; charset=us-ascii', 'text', 'us-ascii'],
    ['text/markdown', 'text', undefined],
    [undefined, undefined, undefined],
    ['', undefined, undefined],
    ['html', undefined, undefined],
    ['*/*', undefined, undefined],
    ['unknown/unknown', undefined, undefined],
    ['text/html charset=koi8-r', undefined, 'koi8-r'],
    ['; charset=koi8-r', undefined, 'koi8-r'],
    ['text/html; title="a, text/plain"; charset=koi8-r', 'html', 'koi8-r'],
    ['text/html; title="a \\", text/plain"; charset=koi8-r', 'html', 'koi8-r'],
  ])('is said by %j', (header, expected, charset) => {
    expect(declaredType(header)).toEqual({ kind: expected, charset });
  });

  it('is said in time that grows with the header', () => {
    for (const hostile of [','.repeat(200_000), '"'.repeat(200_000), `${'",'.repeat(100_000)}text/html`]) {
      expect(cpuMsOf(() => declaredType(hostile))).toBeLessThan(2_000);
    }
  });

  it.each([
    'application/pdf',
    'image/png',
    'application/json',
    'application/octet-stream',
    'application/rss+xml',
    'video/mp4',
  ])('is refused by %s, before the body', (header) => {
    expect(() => declaredType(header)).toThrow(header);
  });

  it.each<[string, string | Buffer, string]>([
    ['a doctype', '<!DOCTYPE html><p>x', 'html'],
    ['space and a tag', ' \r\n\t<html>', 'html'],
    ['a tag that the standard does not list', '<article>x', 'html'],
    ['a comment', '<!-- x --><p>', 'html'],
    ['a byte order mark and a doctype', '\ufeff<!doctype html>', 'html'],
    ['UTF-16', Buffer.from('\ufeff<!doctype html>', 'utf16le'), 'html'],
    ['UTF-16 without its mark', Buffer.from('<!doctype html>', 'utf16le'), 'html'],
    ['an XML declaration and html', '<?xml version="1.0"?>\n<html xmlns="x">', 'xml'],
    ['words', 'Tides < moon', 'text'],
    ['nothing', '', 'text'],
    ['Japanese in an encoding with escapes', Buffer.from('\x1b$B$"\x1b(B', 'latin1'), 'text'],
  ])('shows in the content: %s', (_, body, expected) => {
    expect(kind(undefined, body)).toBe(expected);
  });

  it('is as the header says, where it says it', () => {
    expect(kind('text/plain', '<!doctype html>')).toBe('text');
    expect(kind('text/html', 'words')).toBe('html');
    expect(kind('text/html', '\0\x01words')).toBe('html');
  });

  it.each<[string | undefined, string]>([
    [undefined, '%PDF-1.7'],
    ['text/html', '%PDF-1.7'],
    ['text/plain', '\x89PNG\r\n\x1a\n'],
    [undefined, '\xff\xd8\xff\xe0'],
    [undefined, 'GIF89a'],
    ['text/html', 'PK\x03\x04'],
    ['text/html', '\x1f\x8b\x08'],
    [undefined, 'RIFF\x01\x02\x03\x04WEBPVP8 '],
    [undefined, '\0\0\0\x20ftypisom'],
    ['text/plain', 'ELF\x01\x02\0\0'],
    [undefined, 'ELF\x01\x02\0\0'],
  ])('is refused where the content is no text, whatever the header says: %j %j', (header, body) => {
    expect(() => kind(header, Buffer.from(body, 'latin1'))).toThrow();
  });
});
