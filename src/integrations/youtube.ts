import { fetchTranscript } from 'youtube-transcript-plus';
import { z } from 'zod';
import { neverSent } from '../domain/dispatch-answer.ts';
import { PermanentTaskError, RetryableTaskError } from '../domain/task-error.ts';
import { fetchFault } from './fetch-fault.ts';

/** What the Data API says of a video. */
export interface VideoMetadata {
  title: string;
  author: string | null;
  published_at: string | null;
  language: string | null;
  tags: string[];
}

/** What came of asking for it. Everything but `failed` with `sent: false` is billed. */
export type MetadataAnswer =
  | { kind: 'found'; video: VideoMetadata }
  | { kind: 'missing' }
  | { kind: 'failed'; sent: boolean; reason: string };

/** What is said in a video. */
export interface Captions {
  text: string;
  language: string | null;
  /** Seconds from the beginning, and what is said then. */
  segments: Array<{ at: number; text: string }>;
}

export interface YouTubeOptions {
  /** Root of the Data API. */
  apiUrl: string;
  apiKey: string | undefined;
  /** Root of the site that people see; captions come from there. */
  siteUrl: string;
}

/** What the library asks of us, and what it gives (its own declarations cannot be resolved by TypeScript's rules for Node). */
interface LibraryRequest {
  url: string;
  method?: 'GET' | 'POST';
  body?: string;
  headers?: Record<string, string>;
  lang?: string;
  userAgent?: string;
}
type Segment = { text: string; offset: number; lang: string };
type FetchTranscript = (
  videoId: string,
  config: { signal: AbortSignal } & Record<
    'videoFetch' | 'playerFetch' | 'transcriptFetch',
    (request: LibraryRequest) => Promise<Response>
  >,
) => Promise<Segment[]>;

/** Longest wait for one answer. */
const TIMEOUT_MS = 15_000;
const CAPTIONS_ORIGIN = 'https://www.youtube.com';
const PASS_IT = 'pass it as transcript_text';

const videoList = z.object({
  items: z.array(
    z.object({
      snippet: z.object({
        title: z.string(),
        channelTitle: z.string().nullish(),
        publishedAt: z.iso.datetime({ offset: true }).nullish(),
        tags: z.array(z.string()).nullish(),
        defaultAudioLanguage: z.string().nullish(),
        defaultLanguage: z.string().nullish(),
      }),
    }),
  ),
});
const player = z.object({
  playabilityStatus: z.object({ status: z.string(), reason: z.string().nullish() }).nullish(),
});

/** YouTube: videos by the Data API, captions as its players get them. */
export class YouTube {
  readonly #options: YouTubeOptions;

  constructor(options: YouTubeOptions) {
    this.#options = options;
  }

  /** Whether the Data API can be asked. */
  get hasKey(): boolean {
    return this.#options.apiKey !== undefined;
  }

  /** Asks the Data API once; takes one unit of the quota. Never throws: its failure is an answer. */
  async metadata(videoId: string): Promise<MetadataAnswer> {
    const query = new URLSearchParams({ part: 'snippet', id: videoId });
    let response: Response;
    try {
      response = await fetch(`${this.#options.apiUrl.replace(/\/+$/, '')}/youtube/v3/videos?${query}`, {
        // In a header, since URLs are logged on the way.
        headers: { 'x-goog-api-key': this.#options.apiKey ?? '' },
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (error) {
      const code = fetchFault(error);
      return { kind: 'failed', sent: !neverSent(code), reason: `the Data API does not answer (${code})` };
    }
    const body: unknown = await response.json().catch(() => undefined);
    const read = videoList.safeParse(body);
    if (!response.ok || !read.success) {
      return { kind: 'failed', sent: true, reason: `the Data API answered ${response.status}` };
    }
    const snippet = read.data.items[0]?.snippet;
    if (!snippet) return { kind: 'missing' };
    return {
      kind: 'found',
      video: {
        title: snippet.title,
        author: snippet.channelTitle ?? null,
        published_at: snippet.publishedAt ?? null,
        language: snippet.defaultAudioLanguage ?? snippet.defaultLanguage ?? null,
        tags: snippet.tags ?? [],
      },
    };
  }

  /**
   * The captions of a video.
   * @throws {PermanentTaskError} where it has none, or is not there.
   * @throws {RetryableTaskError} where YouTube does not answer, or refuses this machine.
   */
  async captions(videoId: string, signal: AbortSignal): Promise<Captions> {
    try {
      const segments = await (fetchTranscript as FetchTranscript)(videoId, {
        signal,
        videoFetch: (request) => this.#fetch(request, checkPage),
        playerFetch: (request) => this.#fetch(request, checkPlayer),
        transcriptFetch: (request) => this.#fetch(request, checkTranscript),
      });
      const spoken = segments.map(({ offset, text }) => ({ at: offset, text: plain(text) }));
      return {
        text: spoken.map(({ text }) => text).join(' '),
        language: segments[0]?.lang ?? null,
        segments: spoken,
      };
    } catch (error) {
      throw captionsFault(error, videoId);
    }
  }

  /** @param check throws where the answer says something that the library would take for "no captions". */
  async #fetch(
    { url, method = 'GET', body, headers, lang, userAgent }: LibraryRequest,
    check: (text: string) => void,
  ): Promise<Response> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(url.replace(CAPTIONS_ORIGIN, this.#options.siteUrl.replace(/\/+$/, '')), {
        method,
        body: body ?? null,
        headers: {
          ...headers,
          ...(lang ? { 'accept-language': lang } : {}),
          ...(userAgent ? { 'user-agent': userAgent } : {}),
        },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      text = await response.text();
    } catch (error) {
      throw unavailable(`YouTube does not answer (${fetchFault(error)})`, error);
    }
    if (response.status === 429 || response.status === 403) throw blocked(`YouTube answered ${response.status}`);
    if (response.status >= 500) throw unavailable(`YouTube answered ${response.status}`);
    if (response.ok) check(text);
    return new Response(text, { status: response.status, headers: response.headers });
  }
}

/** A page for people, without what its player needs: asks for consent, or to prove that one is no robot. */
function checkPage(text: string): void {
  if (!text.includes('INNERTUBE_API_KEY')) throw blocked('YouTube shows this machine a page without a player');
}

function checkPlayer(text: string): void {
  let read: z.infer<typeof player> | undefined;
  try {
    read = player.parse(JSON.parse(text));
  } catch {
    throw blocked("YouTube's player answered with something else than it usually does");
  }
  const { status = 'OK', reason } = read.playabilityStatus ?? {};
  if (status === 'OK') return;
  if (/bot|unusual traffic/i.test(reason ?? '')) throw blocked(`YouTube asks this machine to sign in`);
  throw new PermanentTaskError({
    type: 'VideoUnavailable',
    message: `YouTube does not show this video: ${reason ?? status}`,
  });
}

/** YouTube answers 200 and nothing where it does not want to say no. */
function checkTranscript(text: string): void {
  if (text.trim() === '') throw blocked('YouTube answered with empty captions');
}

function captionsFault(error: unknown, videoId: string): unknown {
  switch ((error as Error).name) {
    case 'YoutubeTranscriptDisabledError':
    case 'YoutubeTranscriptNotAvailableError': {
      const message = `the video ${videoId} has no captions; if you have its transcript, ${PASS_IT}`;
      return new PermanentTaskError({ type: 'TranscriptUnavailable', message, cause: error });
    }
    case 'YoutubeTranscriptVideoUnavailableError':
    case 'YoutubeTranscriptInvalidVideoIdError': {
      const message = `YouTube has no video ${videoId}`;
      return new PermanentTaskError({ type: 'VideoUnavailable', message, cause: error });
    }
    case 'YoutubeTranscriptTooManyRequestError':
      return blocked('YouTube asks this machine to prove that it is no robot');
    default:
      return error;
  }
}

function blocked(what: string): RetryableTaskError {
  const message = `${what}: it probably refuses this machine; if you have the transcript, ${PASS_IT}`;
  return new RetryableTaskError({ type: 'YouTubeBlocked', message });
}

function unavailable(message: string, cause?: unknown): RetryableTaskError {
  return new RetryableTaskError({ type: 'YouTubeUnavailable', message, cause });
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

/** The captions are HTML in XML, and the library reads the XML only. */
function plain(html: string): string {
  return html
    .replace(/<[^>]*>/g, '')
    .replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
      if (name) return NAMED[name.toLowerCase()] ?? whole;
      const code = Number.parseInt(decimal ?? hex, decimal ? 10 : 16);
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '';
    })
    .replace(/\s+/g, ' ')
    .trim();
}
