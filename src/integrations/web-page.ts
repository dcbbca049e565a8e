import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { hostOf } from '../domain/callback-url.ts';
import { PermanentTaskError, RetryableTaskError } from '../domain/task-error.ts';
import type { Article } from './article.ts';
import { AddressRefused, checkedAddresses, lookupOf, type Resolve } from './checked-addresses.ts';

export interface WebPageOptions {
  /** Hosts that may have any address. */
  allowedHosts: readonly string[];
  /** All addresses of a name. Default: the system's resolver. */
  resolve?: Resolve;
  /** Longest a page may take, redirects included. Default 30 s. */
  timeoutMs?: number;
  /** Longest page, after decompression. Default 5 MiB. */
  maxBytes?: number;
}

/** A page as it was found. */
export interface WebPage extends Article {
  /** As it came, for keeping. */
  source: string;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_BYTES = 5 * 1024 * 1024;
const MAX_REDIRECTS = 5;
const READABLE_TYPES = /^(text\/html|application\/xhtml\+xml|text\/plain|text\/markdown)$/;

/** Reads pages of the public internet: no URL and no redirect leads to an address of an inner network. */
export class WebPages {
  readonly #allowedHosts: ReadonlySet<string>;
  readonly #resolve: Resolve | undefined;
  readonly #timeoutMs: number;
  readonly #maxBytes: number;

  constructor({ allowedHosts, resolve, timeoutMs = DEFAULT_TIMEOUT_MS, maxBytes = DEFAULT_MAX_BYTES }: WebPageOptions) {
    this.#allowedHosts = new Set(allowedHosts);
    this.#resolve = resolve;
    this.#timeoutMs = timeoutMs;
    this.#maxBytes = maxBytes;
  }

  /**
   * The page of a URL, and the article on it.
   * @throws {PermanentTaskError} where there is nothing to read, {@link RetryableTaskError} where there may be later.
   */
  async read(url: string, stop: AbortSignal): Promise<WebPage> {
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    const signal = AbortSignal.any([stop, timeout]);
    try {
      const { type, source } = await this.#follow(new URL(url), signal);
      // Loaded by the first page: the parser takes 25 MB and a quarter of a second, which an idle process has no use for.
      const { articleOf } = await import('./article.ts');
      return { ...articleOf(source, type, url), source };
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
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      // An agent of its own: no connection is kept, none is shared, and no proxy of the environment stands between.
      const options = { agent: false, lookup: lookupOf(addresses), signal, headers: HEADERS };
      const request: ClientRequest = send(url, options, resolve);
      request.on('error', reject);
      request.end();
    });
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

/** By the header, else as the page itself says, else UTF-8. */
function decode(bytes: Buffer, charset: string | undefined): string {
  const said = charset ?? /<meta[^>]+charset=["']?([\w-]+)/i.exec(bytes.subarray(0, 2_048).toString('latin1'))?.[1];
  try {
    return new TextDecoder(said?.replace(/^"|"$/g, '') ?? 'utf-8').decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
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
