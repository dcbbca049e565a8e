import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ingestUrl } from '../../src/activities/ingest-url.ts';
import { type WebPageOptions, WebPages } from '../../src/integrations/content/web-page.ts';
import { findContentDetail } from '../../src/store/content/content-find.ts';
import { postgresContent } from '../../src/store/content/postgres-content.ts';
import { attempt, faultOf, openBlobs } from '../world/content-world.ts';
import { type Answer, type Asked, startStandIn } from '../world/http-stand-in.ts';
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
  let cookies: string[] = [];
  const pages = new Map<string, Answer | ((cookie: string) => Answer)>();
  beforeAll(async () => {
    const answer = ({ url, headers }: Asked): Answer => {
      asked.push(url.pathname);
      cookies.push(headers.cookie ?? '');
      const page = pages.get(url.pathname) ?? { status: 404, body: 'Not found' };
      return typeof page === 'function' ? page(headers.cookie ?? '') : page;
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
    return ingestUrl(
      { db: database.db, content: postgresContent(database.db), blobs: kept.blobs, pages: reader(given) },
      args,
      attempt(),
    );
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
    pages.set('/raw', {
      headers: { 'content-encoding': 'deflate' },
      body: deflateRawSync(page(`<p>${PARAGRAPH}</p>`)),
    });
    const latin = Buffer.from(page(`<p>Ebbe und Flut heißen Gezeiten. ${PARAGRAPH}</p>`), 'latin1');
    pages.set('/latin', { headers: { 'content-type': 'text/html; charset=ISO-8859-1' }, body: latin });
    pages.set('/plain', { headers: { 'content-type': 'text/plain' }, body: 'A first line\nand more.' });
    const texts = await Promise.all(
      ['/gzip', '/latin', '/plain', '/raw'].map(async (path) =>
        (await detail((await ingest(at(path))).content_id))?.chunk_texts?.join(''),
      ),
    );
    expect(texts[0]).toContain('caused by the moon');
    expect(texts[1]).toContain('heißen');
    expect(texts[2]).toBe('A first line\nand more.');
    expect(texts[3]).toBe(texts[0]);
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

  it('reads what comes without a type, or with one that says nothing', async () => {
    const site = await rawSite((path) => {
      const type = { '/none': '', '/empty': 'Content-Type:\r\n', '/odd': 'Content-Type: html\r\n' }[path] ?? '';
      return Buffer.from(`HTTP/1.1 200 OK\r\n${type}Connection: close\r\n\r\n${page(`<p>${PARAGRAPH}</p>`)}`);
    });
    for (const path of ['/none', '/empty', '/odd'])
      expect(await ingest(site.at(path))).toMatchObject({ title: 'On tides' });
    await site.close();
  });

  it.each<[string, string]>([
    ['a byte that is no letter in a header', 'X-Served-By: caf\xe9 \x01\r\n'],
    ['a header without a value', 'X-Empty:\r\n'],
    ['two types', 'Content-Type: text/plain\r\nContent-Type: text/html; charset=utf-8\r\n'],
    ['very long headers', `X-Long: ${'x'.repeat(60_000)}\r\n`],
    ['a body longer than its length', `Content-Length: PAGE\r\n`],
  ])('reads an answer with %s', async (_, header) => {
    const body = page(`<p>${PARAGRAPH}</p>`);
    const length = String(Buffer.byteLength(body));
    const answer = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n${header.replace('PAGE', length)}Connection: close\r\n\r\n${body}`;
    const site = await rawSite(() => Buffer.from(`${answer}${header.includes('PAGE') ? 'and more' : ''}`, 'latin1'));
    expect(await ingest(site.at('/odd'))).toMatchObject({ title: 'On tides' });
    await site.close();
  });

  it('takes an answer that breaks off behind the end of its document', async () => {
    const whole = `${page(`<p>${PARAGRAPH}</p>`)}\n`;
    const site = await rawSite((path) => {
      const length = path === '/chunks' ? 'Transfer-Encoding: chunked' : `Content-Length: ${whole.length + 9}`;
      const body = path === '/chunks' ? `${whole.length.toString(16)}\r\n${whole}\r\n` : whole;
      return Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n${length}\r\n\r\n${body}`);
    });
    for (const path of ['/chunks', '/length']) expect(await ingest(site.at(path))).toMatchObject({ title: 'On tides' });
    await site.close();
  });

  it('tries again where an answer breaks off before its length', async () => {
    const site = await rawSite(() =>
      Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 900\r\n\r\n<p>Half'),
    );
    expect(await faultOf(ingest(site.at('/half')))).toMatchObject({
      name: 'RetryableTaskError',
      type: 'PageUnavailable',
    });
    await site.close();
  });

  it.each([
    ['raw UTF-8', '/caf\xc3\xa9 au lait', '/caf%C3%A9%20au%20lait'],
    ['raw Latin-1', '/caf\xe9', '/caf%E9'],
    ['an escaped path', '/caf%C3%A9', '/caf%C3%A9'],
    ['a relative path', 'tides', '/tides'],
    ['a relative query', '?page=2', '/start'],
    ['a host without a scheme', '//site.test:PORT/there', '/there'],
    ['a fragment', '/there#part', '/there'],
    ['backslashes', '\\there', '/there'],
  ])('follows a Location with %s', async (_, location, expected) => {
    const body = page(`<p>${PARAGRAPH}</p>`);
    const paths: string[] = [];
    const site = await rawSite((path) => {
      paths.push(path);
      const answer =
        paths.length === 1
          ? `HTTP/1.1 302 Found\r\nLocation: ${location.replace('PORT', String(site.port))}\r\nContent-Length: 0\r\n\r\n`
          : `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      return Buffer.from(answer, 'latin1');
    });
    expect(await ingest(site.at('/start'))).toMatchObject({ title: 'On tides' });
    expect(paths[1]?.replace(/\?.*/, '')).toBe(expected);
    await site.close();
  });

  it.each([300, 301, 302, 303, 307, 308])('follows the status %i', async (status) => {
    pages.set('/tides', { body: page(`<p>${PARAGRAPH}</p>`) });
    pages.set('/moved', { status, headers: { location: '/tides' }, body: '' });
    expect(await ingest(at('/moved'))).toMatchObject({ title: 'On tides' });
  });

  it('keeps cookies for the site that set them, while it looks for one page', async () => {
    pages.set('/wall', (cookie) =>
      cookie.includes('seen=yes')
        ? { body: page(`<p>${PARAGRAPH}</p>`) }
        : { status: 302, headers: { location: '/wall', 'set-cookie': 'seen=yes; Path=/' }, body: '' },
    );
    asked = [];
    expect(await ingest(at('/wall'))).toMatchObject({ title: 'On tides' });
    expect(asked).toEqual(['/wall', '/wall']);
    // Not for another host, and not for the next page.
    pages.set('/leave', {
      status: 302,
      headers: { location: at('/elsewhere', 'other.test'), 'set-cookie': 'secret=1; Domain=site.test' },
      body: '',
    });
    pages.set('/elsewhere', { body: page(`<p>${PARAGRAPH}</p>`) });
    cookies = [];
    await ingest(at('/leave'), { allowedHosts: ['site.test', 'other.test'] });
    await ingest(at('/elsewhere'));
    expect(cookies).toEqual(['', '', '']);
    // One that sets a new cookie each time never ends by itself.
    let count = 0;
    pages.set('/treadmill', () => ({
      status: 302,
      headers: { location: '/treadmill', 'set-cookie': `n=${++count}` },
      body: '',
    }));
    expect(await faultOf(ingest(at('/treadmill')))).toMatchObject({ name: 'PermanentTaskError', type: 'PageRefused' });
    expect(count).toBeLessThan(25);
  });

  it('follows redirects, each only to where it may', async () => {
    pages.set('/tides', { body: page(`<p>${PARAGRAPH}</p>`) });
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
      { body: page('<b><i><p>'.repeat(3_000)) },
      { articleTimeoutMs: 1 },
      { type: 'PageRefused', message: 'finding the article on the page takes more than 0.001 s' },
    ],
    [
      'is a PDF that is called HTML',
      '/called-html',
      { body: '%PDF-1.7 and more' },
      {},
      { type: 'PageRefused', message: 'the page is application/pdf; only HTML and text are read' },
    ],
    [
      'is in an encoding that no browser reads',
      '/hz',
      { headers: { 'content-type': 'text/html; charset=hz-gb-2312' }, body: page('x') },
      {},
      { type: 'PageRefused' },
    ],
    [
      'is small until it is unpacked twice',
      '/bomb-in-bomb',
      { headers: { 'content-encoding': 'gzip, gzip' }, body: gzipSync(gzipSync('x'.repeat(30_000_000))) },
      { maxBytes: 1_000_000 },
      { type: 'PageRefused' },
    ],
    [
      'is packed six times',
      '/six',
      { headers: { 'content-encoding': 'gzip, gzip, gzip, gzip, gzip, gzip' }, body: gzipSync('x') },
      {},
      { type: 'PageUnavailable' },
    ],
    ['is too long', '/long', { body: page('x'.repeat(5_000)) }, { maxBytes: 4_000 }, { type: 'PageRefused' }],
    [
      'is small until it is unpacked',
      '/bomb',
      { headers: { 'content-encoding': 'gzip' }, body: gzipSync('x'.repeat(3_000_000)) },
      { maxBytes: 1_000_000 },
      { type: 'PageRefused' },
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

  it.each([
    ['7', 7_000],
    ['Fri, 31 Dec 9999 23:59:59 GMT', 3_600_000],
    ['99999999', 3_600_000],
    ['soon', undefined],
  ])('waits as a page asks, but not for ever: %s', async (patience, retryAfterMs) => {
    pages.set('/busy', { status: 503, headers: { 'retry-after': patience }, body: '' });
    expect(await faultOf(ingest(at('/busy')))).toMatchObject({ name: 'RetryableTaskError', retryAfterMs });
  });

  it.each([408, 425, 429, 500])('tries again where a page answers %i', async (status) => {
    pages.set('/later', { status, headers: { 'retry-after': '7' }, body: '' });
    expect(await faultOf(ingest(at('/later')))).toMatchObject({ type: 'PageUnavailable', retryAfterMs: 7_000 });
  });

  it('tries again where the name is not found, and stops when it is told to', async () => {
    expect(await faultOf(ingest('http://nowhere.test/'))).toMatchObject({ name: 'RetryableTaskError' });
    pages.set('/hang', 'hang');
    const stop = new AbortController();
    const work = ingestUrl(
      {
        db: database.db,
        content: postgresContent(database.db),
        blobs: kept.blobs,
        pages: reader({ timeoutMs: 60_000 }),
      },
      { url: at('/hang') },
      attempt({ signal: stop.signal }),
    );
    stop.abort();
    expect(await faultOf(work)).toMatchObject({ name: 'RetryableTaskError' });
  });
});

/** A site that answers with the bytes it is given, as no HTTP library would write them. */
async function rawSite(answer: (path: string) => Buffer) {
  const server = createServer((socket) => {
    let head = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      head += chunk.toString('latin1');
      if (head.includes('\r\n\r\n')) socket.end(answer(head.split(' ')[1] ?? ''));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    at: (path: string) => `http://site.test:${port}${path}`,
    async close() {
      server.close();
      await once(server, 'close');
    },
  };
}
