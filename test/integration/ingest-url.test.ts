import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ingestUrl } from '../../src/activities/ingest-url.ts';
import { type WebPageOptions, WebPages } from '../../src/integrations/web-page.ts';
import { findContentDetail } from '../../src/store/content-find.ts';
import { attempt, faultOf, openBlobs } from '../world/content-world.ts';
import { type Answer, startStandIn } from '../world/http-stand-in.ts';
import { openTestDatabase } from '../world/world.ts';

const PARAGRAPH = 'Tides are caused by the moon, which pulls at the water of the sea. '.repeat(8);
const page = (body: string, head = '') =>
  `<!doctype html><html lang="en"><head><title>On tides</title>${head}</head><body>
   <nav><a href="/">Home</a></nav><article><h1>On tides</h1>${body}</article>
   <script>document.title = 'changed'</script><footer>Imprint</footer></body></html>`;

describe('ingest_url', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let kept: Awaited<ReturnType<typeof openBlobs>>;
  let site: Awaited<ReturnType<typeof startStandIn>>;
  let asked: string[] = [];
  const pages = new Map<string, Answer>();
  beforeAll(async () => {
    const answer = ({ url }: { url: URL }): Answer => {
      asked.push(url.pathname);
      return pages.get(url.pathname) ?? { status: 404, body: 'Not found' };
    };
    [database, kept, site] = await Promise.all([openTestDatabase('embedded'), openBlobs(), startStandIn(answer)]);
  });
  afterAll(() => Promise.all([database.close(), kept.close(), site.close()]));

  /** Names of the test's own, which lead to the stand-in. */
  const resolve: WebPageOptions['resolve'] = async (host) => {
    if (host === 'nowhere.test') throw Object.assign(new Error('no such host'), { code: 'ENOTFOUND' });
    return [{ address: '127.0.0.1', family: 4 }];
  };
  const reader = (given: Partial<WebPageOptions> = {}) =>
    new WebPages({ allowedHosts: ['site.test'], resolve, timeoutMs: 2_000, ...given });
  const ingest = (url: string, given: Partial<WebPageOptions> = {}, tags?: string[]) => {
    const args = { url, ...(tags ? { tags } : {}) };
    return ingestUrl({ db: database.db, blobs: kept.blobs, pages: reader(given) }, args, attempt());
  };
  const at = (path: string, host = 'site.test') => `http://${host}:${new URL(site.url).port}${path}`;
  const detail = (id: string) => findContentDetail(database.db, id, true);

  it('keeps the article of a page, without what stands around it', async () => {
    const head =
      '<meta name="author" content="A. Writer"><meta name="keywords" content="sea, moon"><meta property="article:published_time" content="2026-02-03T04:05:06+01:00">';
    pages.set('/tides', { body: page(`<p>${PARAGRAPH}</p>`, head) });
    const result = await ingest(at('/tides?utm_source=mail#top'), {}, ['mine']);
    expect(result).toEqual({
      status: 'success',
      content_id: expect.stringMatching(/^web:[0-9a-f]{32}$/),
      title: 'On tides',
    });
    const found = await detail(result.content_id);
    expect(found).toMatchObject({
      type: 'web',
      url: at('/tides'),
      author: 'A. Writer',
      language: 'en',
      published_at: '2026-02-03T03:05:06.000Z',
      tags: ['mine', 'sea', 'moon'],
    });
    const text = found?.chunk_texts?.join('') ?? '';
    expect(text).toContain('caused by the moon');
    expect(text).not.toMatch(/Home|Imprint|script|changed/);
  });

  it('is one content per page, and a new version where the text has changed', async () => {
    pages.set('/news', { body: page(`<p>${PARAGRAPH}</p>`) });
    const first = await ingest(at('/news'));
    expect(await ingest(at('/news?utm_medium=x'))).toEqual(first);
    expect((await detail(first.content_id))?.version).toBe(1);
    pages.set('/news', { body: page(`<p>${PARAGRAPH} And by the sun.</p>`) });
    expect((await ingest(at('/news'))).content_id).toBe(first.content_id);
    expect((await detail(first.content_id))?.version).toBe(2);
  });

  it('reads what is compressed, and what is in another character set, and plain text', async () => {
    pages.set('/gzip', { headers: { 'content-encoding': 'gzip' }, body: gzipSync(page(`<p>${PARAGRAPH}</p>`)) });
    const latin = Buffer.from(page(`<p>Ebbe und Flut heißen Gezeiten. ${PARAGRAPH}</p>`), 'latin1');
    pages.set('/latin', { headers: { 'content-type': 'text/html; charset=ISO-8859-1' }, body: latin });
    pages.set('/plain', { headers: { 'content-type': 'text/plain' }, body: 'A first line\nand more.' });
    const texts = await Promise.all(
      ['/gzip', '/latin', '/plain'].map(async (path) =>
        (await detail((await ingest(at(path))).content_id))?.chunk_texts?.join(''),
      ),
    );
    expect(texts[0]).toContain('caused by the moon');
    expect(texts[1]).toContain('heißen');
    expect(texts[2]).toBe('A first line\nand more.');
  });

  it('keeps words apart that a tag alone stands between', async () => {
    const body = `<h2>Ebb</h2><p>${PARAGRAPH.trim()}</p><p>Flow<br>comes</p><ul><li>one</li><li>two</li></ul><table><tr><td>a</td><td>b</td></tr></table>`;
    pages.set('/minified', { body: page(body) });
    const { content_id } = await ingest(at('/minified'));
    const text = (await detail(content_id))?.chunk_texts?.join('') ?? '';
    expect(text.split(/\s+/)).toEqual(['Ebb', ...PARAGRAPH.trim().split(' '), 'Flow', 'comes', 'one', 'two', 'a', 'b']);
  });

  it('reads what says nothing of its character set, or the wrong thing', async () => {
    const text = `<p>Ebbe und Flut heißen Gezeiten. ${PARAGRAPH}</p>`;
    const untold = { 'content-type': 'text/html' };
    pages.set('/untold', { headers: untold, body: Buffer.from(page(text), 'latin1') });
    pages.set('/marked', { body: Buffer.from(`\ufeff${page(text)}`, 'utf16le') });
    pages.set('/meta', { headers: untold, body: page(text, '<meta charset="utf-16">') });
    for (const path of ['/untold', '/marked', '/meta']) {
      const { content_id } = await ingest(at(path));
      expect((await detail(content_id))?.chunk_texts?.join('')).toContain('heißen');
    }
  });

  it('follows redirects, each only to where it may', async () => {
    pages.set('/moved', { status: 302, headers: { location: '/tides' }, body: '' });
    expect(await ingest(at('/moved'))).toMatchObject({ title: 'On tides' });
    pages.set('/inward', { status: 302, headers: { location: at('/tides', '127.0.0.1') }, body: '' });
    asked = [];
    expect(await faultOf(ingest(at('/inward')))).toMatchObject({ name: 'PermanentTaskError', type: 'PageRefused' });
    expect(asked).toEqual(['/inward']);
    pages.set('/file', { status: 302, headers: { location: 'file:///etc/passwd' }, body: '' });
    pages.set('/round', { status: 302, headers: { location: '/round' }, body: '' });
    for (const path of ['/file', '/round']) {
      expect(await faultOf(ingest(at(path)))).toMatchObject({ name: 'PermanentTaskError', type: 'PageRefused' });
    }
  });

  it.each([
    'http://127.0.0.1:PORT/tides',
    'http://2130706433:PORT/tides',
    'http://0x7f.1:PORT/tides',
    'http://[::1]:PORT/tides',
    'http://[::ffff:127.0.0.1]:PORT/tides',
    'http://169.254.169.254/latest/meta-data',
    'http://10.0.0.1/',
    'http://localhost:PORT/tides',
    'http://inner.test:PORT/tides',
    'file:///etc/passwd',
  ])('sends nothing to %s', async (url) => {
    asked = [];
    const fault = await faultOf(ingest(url.replace('PORT', new URL(site.url).port)));
    expect(fault).toMatchObject({ name: 'PermanentTaskError' });
    expect(asked).toEqual([]);
  });

  it.each<[string, string, Answer, Partial<WebPageOptions>, object]>([
    [
      'is not there',
      '/none',
      { status: 404, body: '' },
      {},
      { name: 'PermanentTaskError', message: 'the page answered 404' },
    ],
    [
      'is no page',
      '/pdf',
      { headers: { 'content-type': 'application/pdf' }, body: '%PDF' },
      {},
      { type: 'PageRefused' },
    ],
    ['holds nothing', '/empty', { body: '<html><body></body></html>' }, {}, { type: 'NothingToRead' }],
    ['is empty', '/nothing', { body: '' }, {}, { type: 'NothingToRead', message: 'the page is empty' }],
    [
      'takes too long to take apart',
      '/deep',
      { body: page(`${'<div>'.repeat(20_000)}deep${'</div>'.repeat(20_000)}`) },
      { articleTimeoutMs: 500 },
      { type: 'PageRefused', message: 'to take the page apart takes more than 0.5 s' },
    ],
    ['is too long', '/long', { body: page('x'.repeat(5_000)) }, { maxBytes: 4_000 }, { type: 'PageRefused' }],
    [
      'is small until it is unpacked',
      '/bomb',
      { headers: { 'content-encoding': 'gzip' }, body: gzipSync('x'.repeat(3_000_000)) },
      { maxBytes: 1_000_000 },
      { type: 'PageRefused' },
    ],
    [
      'asks for patience',
      '/busy',
      { status: 503, headers: { 'retry-after': '7' }, body: '' },
      {},
      { name: 'RetryableTaskError', retryAfterMs: 7_000 },
    ],
    ['does not answer', '/hang', 'hang', { timeoutMs: 200 }, { name: 'RetryableTaskError', type: 'PageUnavailable' }],
    ['breaks off', '/reset', 'reset', {}, { name: 'RetryableTaskError', type: 'PageUnavailable' }],
    [
      'is not what it says',
      '/lie',
      { headers: { 'content-encoding': 'gzip' }, body: 'no gzip' },
      {},
      { name: 'RetryableTaskError', type: 'PageUnavailable' },
    ],
  ])('says whether trying again helps where a page %s', async (_, path, answer, given, fault) => {
    pages.set(path, answer);
    expect(await faultOf(ingest(at(path), given))).toMatchObject(fault);
  });

  it('tries again where the name is not found, and stops when it is told to', async () => {
    expect(await faultOf(ingest('http://nowhere.test/'))).toMatchObject({ name: 'RetryableTaskError' });
    pages.set('/hang', 'hang');
    const stop = new AbortController();
    const work = ingestUrl(
      { db: database.db, blobs: kept.blobs, pages: reader({ timeoutMs: 60_000 }) },
      { url: at('/hang') },
      attempt({ signal: stop.signal }),
    );
    stop.abort();
    expect(await faultOf(work)).toMatchObject({ name: 'RetryableTaskError' });
  });
});
