import type { IncomingMessage } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { hostOf } from '../domain/callback-url.ts';
import { PermanentTaskError, RetryableTaskError } from '../domain/task-error.ts';
import type { Article } from './article.ts';
import { articleInThread } from './article-thread.ts';
import { AddressRefused, checkedAddresses, type Resolve, requestFrom } from './checked-addresses.ts';

export interface WebPageOptions {
  /** Hosts that may have any address. */
  allowedHosts: readonly string[];
  /** All addresses of a name. Default: the system's resolver. */
  resolve?: Resolve;
  /** Longest a page may take, redirects included. Default 30 s. */
  timeoutMs?: number;
  /** Longest it may take to find the article on a page. Default 20 s. */
  articleTimeoutMs?: number;
  /** Longest page, after decompression. Default 5 MiB. */
  maxBytes?: number;
}

/** A page as it was found. */
export interface WebPage extends Article {
  /** As it came, for keeping. */
  source: string;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_ARTICLE_TIMEOUT_MS = 20_000;
const DEFAULT_MAX_BYTES = 5 * 1024 * 1024;
const MAX_REDIRECTS = 5;
const READABLE_TYPES = /^(text\/html|application\/xhtml\+xml|text\/plain|text\/markdown)$/;

/** Reads pages of the public internet: no URL and no redirect leads to an address of an inner network. */
export class WebPages {
  readonly #allowedHosts: ReadonlySet<string>;
  readonly #resolve: Resolve | undefined;
  readonly #timeoutMs: number;
  readonly #articleTimeoutMs: number;
  readonly #maxBytes: number;

  constructor(options: WebPageOptions) {
    this.#allowedHosts = new Set(options.allowedHosts);
    this.#resolve = options.resolve;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#articleTimeoutMs = options.articleTimeoutMs ?? DEFAULT_ARTICLE_TIMEOUT_MS;
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  }

  /**
   * The page of a URL, and the article on it.
   * @throws {PermanentTaskError} where there is nothing to read, {@link RetryableTaskError} where there may be later.
   */
  async read(url: string, stop: AbortSignal): Promise<WebPage> {
    const { type, source } = await this.#fetch(url, stop);
    return { ...(await articleInThread({ source, type, url }, this.#articleTimeoutMs, stop)), source };
  }

  async #fetch(url: string, stop: AbortSignal): Promise<{ type: string; source: string }> {
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    const signal = AbortSignal.any([stop, timeout]);
    try {
      return await this.#follow(new URL(url), signal);
    } catch (error) {
      if (error instanceof PermanentTaskError || error instanceof RetryableTaskError) throw error;
      if (error instanceof AddressRefused) throw refused(error.message);
      if (timeout.aborted) throw unavailable(`the page took longer than ${this.#timeoutMs / 1_000} s`);
      throw unavailable(
        `the page cannot be reached (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`,
        error,
      );
    }
  }

  async #follow(start: URL, signal: AbortSignal): Promise<{ type: string; source: string }> {
    let url = start;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const answer = await this.#get(url, signal);
      const { statusCode: status = 0, headers } = answer;
      if (status < 300 || status >= 400) return this.#readBody(answer, status);
      answer.destroy();
      const next = headers.location === undefined ? undefined : URL.parse(headers.location, url.href);
      if (!next || !/^https?:$/.test(next.protocol)) throw refused(`the page answered ${status} and no place to go`);
      url = next;
    }
    throw refused(`the page redirects more than ${MAX_REDIRECTS} times`);
  }

  async #get(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
    const policy = { allowedHosts: this.#allowedHosts, setting: 'INGEST_ALLOWED_HOSTS', resolve: this.#resolve };
    const addresses = await checkedAddresses(hostOf(url), policy);
    signal.throwIfAborted();
    return requestFrom(addresses, url, { headers: HEADERS, signal });
  }

  async #readBody(answer: IncomingMessage, status: number): Promise<{ type: string; source: string }> {
    if (status === 429 || status >= 500) {
      answer.destroy();
      const retryAfter = Number(answer.headers['retry-after']);
      throw unavailable(`the page answered ${status}`, undefined, retryAfter > 0 ? retryAfter * 1_000 : undefined);
    }
    const [type = '', ...parameters] = (answer.headers['content-type'] ?? '').toLowerCase().split(/\s*;\s*/);
    if (status !== 200) {
      answer.destroy();
      throw refused(`the page answered ${status}`);
    }
    if (!READABLE_TYPES.test(type)) {
      answer.destroy();
      throw refused(`the page is ${type || 'of no type'}; only HTML and text are read`);
    }
    const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice(8);
    return { type, source: decode(await this.#bytesOf(answer), charset) };
  }

  async #bytesOf(answer: IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let length = 0;
    const body = decompressed(answer);
    for await (const chunk of body as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > this.#maxBytes) {
        answer.destroy();
        throw refused(`the page is longer than ${this.#maxBytes} bytes`);
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }
}

const HEADERS = {
  'user-agent': 'hapax',
  accept: 'text/html,application/xhtml+xml,text/plain;q=0.8',
  'accept-encoding': 'gzip, deflate, br',
};

function decompressed(answer: IncomingMessage): Readable {
  const encoding = answer.headers['content-encoding']?.toLowerCase();
  const through =
    encoding === 'gzip' || encoding === 'x-gzip'
      ? createGunzip()
      : encoding === 'br'
        ? createBrotliDecompress()
        : encoding === 'deflate'
          ? createInflate()
          : undefined;
  // The callback takes what goes wrong; the reader of the stream is told as well.
  return through ? pipeline(answer, through, () => {}) : answer;
}

/** As browsers do: by its byte order mark, else the header, else as the page itself says, else UTF-8 where it is that. */
function decode(bytes: Buffer, header: string | undefined): string {
  const inPage = /<meta[^>]+charset=["']?([\w-]+)/i.exec(bytes.subarray(0, 2_048).toString('latin1'))?.[1];
  // Who can be read so far is not UTF-16, whatever it says.
  const said = header?.replace(/^"|"$/g, '') ?? inPage?.replace(/^utf-16.*$/i, 'utf-8');
  const charset = byteOrderMark(bytes) ?? said;
  try {
    return new TextDecoder(charset ?? 'utf-8', { fatal: charset === undefined }).decode(bytes);
  } catch (error) {
    return new TextDecoder(error instanceof RangeError ? 'utf-8' : 'windows-1252').decode(bytes);
  }
}

function byteOrderMark([first, second]: Buffer): string | undefined {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : undefined;
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
