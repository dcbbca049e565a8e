import type { IncomingMessage } from 'node:http';
import { CookieJar } from 'tough-cookie';
import { LIMITS } from '../../contracts/budgets.ts';
import { hostOf } from '../../domain/endings/callback-url.ts';
import { retryAfterMs } from '../../domain/retry-after.ts';
import { PermanentTaskError, RetryableTaskError } from '../../domain/tasks/task-error.ts';
import { AddressRefused, checkedAddresses, type Resolve, requestFrom } from '../checked-addresses.ts';
import type { Article, PageKind } from './article.ts';
import { articleInThread } from './article-thread.ts';
import type { PageText } from './article-worker.ts';
import { BodyTooLong, CodingFault, unpacked } from './content-coding.ts';
import { decodePage, EncodingRefused } from './page-encoding.ts';
import { declaredType, kindOf, NotReadable } from './page-type.ts';

/** Default limits; tests may set others. */
const PAGES = LIMITS.pages;

export interface WebPageOptions {
  /** Hosts that may have any address. */
  allowedHosts: readonly string[];
  /** Resolves all addresses of a name. Default: the system's resolver. */
  resolve?: Resolve;
  /** How long fetching a page may take, including redirects. */
  timeoutMs?: number;
  /** How long finding the article on a page may take. */
  articleTimeoutMs?: number;
  /** The most bytes of a page, both compressed and decompressed. */
  maxBytes?: number;
}

/** A page and the article on it. */
export interface WebPage extends Article {
  /** The text of the page, to be stored. */
  source: string;
}

/** Statuses that redirect, if the response names a target. */
const REDIRECTS: ReadonlySet<number> = new Set([300, 301, 302, 303, 307, 308]);

/** Reads public web pages. No URL and no redirect leads to an address in an internal network. */
export class WebPages {
  readonly #allowedHosts: ReadonlySet<string>;
  readonly #resolve: Resolve | undefined;
  readonly #timeoutMs: number;
  readonly #articleTimeoutMs: number;
  readonly #maxBytes: number;

  constructor(options: WebPageOptions) {
    this.#allowedHosts = new Set(options.allowedHosts);
    this.#resolve = options.resolve;
    this.#timeoutMs = options.timeoutMs ?? PAGES.fetchMilliseconds;
    this.#articleTimeoutMs = options.articleTimeoutMs ?? PAGES.articleMilliseconds;
    this.#maxBytes = options.maxBytes ?? PAGES.bodyBytes;
  }

  /**
   * Reads the page at a URL, and finds the article on it.
   * @throws {PermanentTaskError} if there is nothing to read, {@link RetryableTaskError} if there may be later.
   */
  async read(url: string, stop: AbortSignal): Promise<WebPage> {
    const fetched = await this.#fetch(url, stop);
    return { ...(await articleInThread(fetched, this.#articleTimeoutMs, stop)), source: fetched.source };
  }

  async #fetch(url: string, stop: AbortSignal): Promise<PageText> {
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    const signal = AbortSignal.any([stop, timeout]);
    try {
      return await this.#follow(new URL(url), signal);
    } catch (error) {
      if (error instanceof PermanentTaskError || error instanceof RetryableTaskError) throw error;
      if (error instanceof AddressRefused || error instanceof EncodingRefused) throw refused(error.message);
      if (error instanceof NotReadable) throw refused(`the page is ${error.message}; only HTML and text are read`);
      if (error instanceof BodyTooLong) throw refused(`the page is longer than ${this.#maxBytes} bytes`);
      if (error instanceof CodingFault) throw unavailable(`the page cannot be decompressed: ${error.message}`, error);
      if (timeout.aborted) throw unavailable(`the page took longer than ${this.#timeoutMs / 1_000} s`);
      throw unavailable(
        `the page cannot be reached (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`,
        error,
      );
    }
  }

  /** Follows redirects, and keeps the cookies of this page meanwhile: some sites set one and redirect to the same URL. */
  async #follow(start: URL, signal: AbortSignal): Promise<PageText> {
    const cookies = new CookieJar();
    const seen = new Set<string>();
    let url = start;
    for (let redirects = 0; redirects <= PAGES.redirects; redirects++) {
      const cookie = cookieFor(cookies, url);
      // The same request would get the same response.
      if (seen.size === seen.add(`${url.href} ${cookie}`).size) throw refused('the page redirects to itself');
      const answer = await this.#get(url, cookie, signal);
      const { statusCode: status = 0, headers } = answer;
      keepCookies(cookies, headers['set-cookie'], url);
      if (!REDIRECTS.has(status)) return { ...(await this.#readBody(answer, status)), url: url.href };
      answer.destroy();
      const next = headers.location ? URL.parse(percentEncoded(headers.location), url.href) : undefined;
      if (!next || !/^https?:$/.test(next.protocol))
        throw refused(`the page redirects (${status}) without a valid target`);
      url = next;
    }
    throw refused(`the page redirects more than ${PAGES.redirects} times`);
  }

  async #get(url: URL, cookie: string, signal: AbortSignal): Promise<IncomingMessage> {
    const policy = { allowedHosts: this.#allowedHosts, setting: 'INGEST_ALLOWED_HOSTS', resolve: this.#resolve };
    const addresses = await checkedAddresses(hostOf(url), policy);
    signal.throwIfAborted();
    return requestFrom(addresses, url, {
      headers: cookie === '' ? HEADERS : { ...HEADERS, cookie },
      signal,
      // Accepts what browsers accept. A connection carries one response, so no part of it can be taken for another.
      insecureHTTPParser: true,
      maxHeaderSize: PAGES.headerBytes,
    });
  }

  async #readBody(answer: IncomingMessage, status: number): Promise<{ kind: PageKind; source: string }> {
    try {
      if (MAY_PASS.has(status) || status >= 500) {
        const pause = Math.min(retryAfterMs(answer.headers['retry-after'], Date.now()), PAGES.retryAfterMilliseconds);
        throw unavailable(`the page answered ${status}`, undefined, pause > 0 ? pause : undefined);
      }
      if (status < 200 || status > 299) throw refused(`the page answered ${status}`);
      const type = declaredType(answer.headersDistinct['content-type']?.join());
      const { body, fault } = await this.#bodyOf(answer);
      const bytes = await unpacked(body, answer.headers['content-encoding'], this.#maxBytes);
      if (fault !== undefined && !isWhole(bytes)) throw fault;
      const kind = kindOf(type, bytes);
      return { kind, source: decodePage(bytes, kind, type.charset) };
    } finally {
      answer.destroy();
    }
  }

  /** Returns the part of the body that arrived, and why the rest did not. */
  async #bodyOf(answer: IncomingMessage): Promise<{ body: Buffer; fault?: unknown }> {
    const chunks: Buffer[] = [];
    let length = 0;
    try {
      for await (const chunk of answer as AsyncIterable<Buffer>) {
        length += chunk.length;
        if (length > this.#maxBytes) throw new BodyTooLong();
        chunks.push(chunk);
      }
    } catch (fault) {
      if (fault instanceof BodyTooLong) throw fault;
      return { body: Buffer.concat(chunks), fault };
    }
    return { body: Buffer.concat(chunks) };
  }
}

/** The page timed out (408), answers too early a request later (425), or wants a pause (429). */
const MAY_PASS = new Set([408, 425, 429]);

/** Says whether the document is complete: nothing is missing after its end tag, whatever length the header states. */
function isWhole(bytes: Buffer): boolean {
  return /<\/html\s*>\s*$/i.test(bytes.subarray(-1_024).toString('latin1'));
}

const HEADERS = {
  'user-agent': 'hapax',
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,text/plain;q=0.8,*/*;q=0.1',
  'accept-encoding': 'gzip, deflate, br, zstd',
};

/** Percent-encodes a header value. Header values are bytes, and a URL takes them as they are, in UTF-8 or any other encoding. */
function percentEncoded(location: string): string {
  return location.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Returns the cookies that a browser would send to this URL, in the same order. */
function cookieFor(jar: CookieJar, url: URL): string {
  const cookie = jar.getCookieStringSync(url.href);
  return cookie.length <= PAGES.cookieBytes && /^[\t\x20-\x7e\x80-\xff]*$/.test(cookie) ? cookie : '';
}

function keepCookies(jar: CookieJar, headers: string[] | undefined, url: URL): void {
  for (const header of headers ?? []) jar.setCookieSync(header, url.href, { ignoreError: true, loose: true });
}

function refused(message: string): PermanentTaskError {
  return new PermanentTaskError({ type: 'PageRefused', message });
}

function unavailable(message: string, cause?: unknown, retryAfterMs?: number): RetryableTaskError {
  return new RetryableTaskError({
    type: 'PageUnavailable',
    message,
    cause,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
