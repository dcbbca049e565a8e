import { describe, expect, it } from 'vitest';
import type { PageKind } from '../../src/integrations/content/article.ts';
import { decodePage } from '../../src/integrations/content/page-encoding.ts';

/** Text in encodings that Node cannot write, by its bytes. */
const BYTES: Record<string, [text: string, hex: string]> = {
  'windows-1251': ['Привет, мир. Приливы и отливы.', 'cff0e8e2e5f22c20ece8f02e20cff0e8ebe8e2fb20e820eef2ebe8e2fb2e'],
  'koi8-r': ['Привет', 'f0d2c9d7c5d4'],
  'windows-1252': ['café “quoted” € – naïve', '636166e9209371756f7465649420802096206e61ef7665'],
  shift_jis: ['潮の満ち引き', '92aa82cc969e82bf88f882ab'],
  'euc-jp': ['潮の満ち引き', 'c4aca4cecbfea4c1b0faa4ad'],
  gb18030: ['月球的引力', 'd4c2c7f2b5c4d2fdc1a6'],
  big5: ['月球的引力', 'a4ebb279aabaa4dea44f'],
  'euc-kr': ['달의 인력', 'b4dec0c720c0ceb7c2'],
};
const bytesOf = (encoding: string) => Buffer.from(BYTES[encoding]?.[1] ?? '', 'hex');
const around = (before: string, bytes: Buffer, after = '') =>
  Buffer.concat([Buffer.from(before, 'latin1'), bytes, Buffer.from(after, 'latin1')]);

describe('the encoding of a page', () => {
  it.each(Object.keys(BYTES))('is the one of the header: %s', (encoding) => {
    for (const kind of ['html', 'xml', 'text'] satisfies PageKind[]) {
      expect(decodePage(bytesOf(encoding), kind, encoding)).toBe(BYTES[encoding]?.[0]);
      expect(decodePage(bytesOf(encoding), kind, ` ${encoding.toUpperCase()}`)).toBe(BYTES[encoding]?.[0]);
    }
  });

  it.each(Object.keys(BYTES))('is the one that the page names: %s', (encoding) => {
    const [text = ''] = BYTES[encoding] ?? [];
    const named = [
      `<meta charset="${encoding}">`,
      `<META CHARSET='${encoding.toUpperCase()}'/>`,
      `<meta charset=${encoding}>`,
      `<meta http-equiv="Content-Type" content="text/html; charset=${encoding}">`,
      `<meta content='text/html;charset=${encoding}' http-equiv=content-type>`,
      `<?xml version="1.0" encoding="${encoding}"?>`,
      `<!-- <meta charset="utf-8"> --><meta name=x content="charset=utf-8"><meta charset="${encoding}">`,
      `<title>x</title>${' '.repeat(3_000)}<meta charset="${encoding}">`,
    ];
    for (const declaration of named) {
      expect(decodePage(around(declaration, bytesOf(encoding)), 'html', undefined)).toBe(declaration + text);
      // A header that names no encoding says nothing.
      expect(decodePage(around(declaration, bytesOf(encoding)), 'html', 'no-such')).toBe(declaration + text);
    }
    const declaration = `<?xml version='1.0'  encoding = '${encoding}' standalone="yes"?><html/>`;
    expect(decodePage(around(declaration, bytesOf(encoding)), 'xml', undefined)).toBe(declaration + text);
  });

  it.each<[string, Buffer]>([
    ['UTF-8', Buffer.from('\ufeff<p>café Привет')],
    ['UTF-16LE', Buffer.from('\ufeff<p>café Привет', 'utf16le')],
    ['UTF-16BE', Buffer.from('\ufeff<p>café Привет', 'utf16le').swap16()],
  ])('is told by its byte order mark before all else: %s', (_, bytes) => {
    for (const kind of ['html', 'xml', 'text'] satisfies PageKind[]) {
      for (const charset of [undefined, 'windows-1251', 'utf-8', 'utf-16be']) {
        expect(decodePage(bytes, kind, charset)).toBe('<p>café Привет');
      }
    }
  });

  it('is the one of the header before the one that the page names', () => {
    const page = around('<meta charset="utf-8">', bytesOf('windows-1251'));
    expect(decodePage(page, 'html', 'windows-1251')).toContain('Привет');
  });

  it('is never UTF-16 because a page says so that can be read', () => {
    expect(decodePage(Buffer.from('<meta charset="utf-16"><p>café'), 'html', undefined)).toContain('café');
    expect(decodePage(Buffer.from('<?xml version="1.0" encoding="utf-16"?><p>café'), 'xml', undefined)).toContain(
      'café',
    );
  });

  it('is UTF-16 where it shows', () => {
    const bytes = Buffer.from('<?xml version="1.0"?><html>café', 'utf16le');
    for (const kind of ['html', 'xml'] satisfies PageKind[]) {
      expect(decodePage(bytes, kind, undefined)).toContain('café');
      expect(decodePage(Buffer.from(bytes).swap16(), kind, undefined)).toContain('café');
    }
  });

  it('is that of browsers where a label is narrower', () => {
    for (const label of ['iso-8859-1', 'latin1', 'us-ascii', 'x-cp1252']) {
      expect(decodePage(bytesOf('windows-1252'), 'text', label)).toBe(BYTES['windows-1252']?.[0]);
    }
    expect(decodePage(bytesOf('gb18030'), 'text', 'gb2312')).toBe('月球的引力');
  });

  it.each(['windows-1251', 'shift_jis', 'gb18030', 'euc-kr'])('is guessed where nobody says it: %s', (encoding) => {
    const bytes = Buffer.concat(Array(20).fill(bytesOf(encoding)) as Buffer[]);
    for (const kind of ['html', 'xml', 'text'] satisfies PageKind[]) {
      expect(decodePage(around(`<p>${'x'.repeat(50_000)}`, bytes), kind, undefined)).toContain(BYTES[encoding]?.[0]);
    }
  });

  it('is UTF-8 where nobody says it and it is that, else that of most Western pages', () => {
    expect(decodePage(Buffer.from('<p>café Привет'), 'html', undefined)).toBe('<p>café Привет');
    expect(decodePage(around('<p>The tides of the ', bytesOf('windows-1252')), 'html', undefined)).toContain(
      'café “quoted”',
    );
  });

  it('is refused where browsers refuse it', () => {
    expect(() => decodePage(Buffer.from('x'), 'html', 'hz-gb-2312')).toThrow('no browser reads');
  });
});
