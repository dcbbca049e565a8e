import { z } from 'zod';
import { LIMITS } from '../../contracts/budgets.ts';
import { type CaptionList, type CaptionTrack, spokenTrack } from '../../domain/content/caption-track.ts';
import { neverSent } from '../../domain/github/response.ts';
import { PermanentTaskError, RetryableTaskError } from '../../domain/tasks/task-error.ts';
import { fetchFault } from '../fetch-fault.ts';
import type { CaptionLine } from './captions.ts';

/** Metadata of a video from the Data API. */
export interface VideoMetadata {
  title: string;
  author: string | null;
  published_at: string | null;
  language: string | null;
  /** The spoken language, if the video's owner has declared it. */
  audio_language?: string | null;
  tags: string[];
}

/** The result of the request. Every result uses quota, except `failed` with `sent: false`. */
export type MetadataAnswer =
  | { kind: 'found'; video: VideoMetadata }
  | { kind: 'missing' }
  | { kind: 'failed'; sent: boolean; reason: string };

/** The spoken text of a video. */
export interface Captions {
  text: string;
  language: string | null;
  segments: CaptionLine[];
}

export interface YouTubeOptions {
  /** Root of the Data API. */
  apiUrl: string;
  apiKey: string | undefined;
  /** Root of the website, which provides captions. */
  siteUrl: string;
}

const TIMEOUT_MS = LIMITS.captions.answerMilliseconds;
const MAX_BYTES = LIMITS.captions.bodyBytes;
/** The page differs by browser. For the Android app, the player returns captions that can be fetched without a token. */
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36';
const PLAYER_CLIENT = { clientName: 'ANDROID', clientVersion: '20.10.38' };
/** Says that the reader has seen the page about consent, which the site shows in the European Union instead of a video. */
const CONSENT = 'SOCS=CAI';
const PLAYER_KEY = /\\?"INNERTUBE_API_KEY\\?":\\?"([^"\\]+)/;
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
const place = z.number().int().nonnegative().optional().catch(undefined);
const captionTrack = z
  .object({
    baseUrl: z.string().optional().catch(undefined),
    url: z.string().optional().catch(undefined),
    languageCode: z.string().catch(''),
    kind: z.string().optional().catch(undefined),
    vssId: z.string().catch(''),
  })
  .transform(({ baseUrl, url = baseUrl, languageCode, kind, vssId }): CaptionTrack | undefined =>
    url === undefined || !URL.canParse(url, 'https://www.youtube.com')
      ? undefined
      : {
          url,
          language: languageCode,
          fromSpeech: kind === 'asr' || vssId.startsWith('a.'),
          forced: kind === 'forced',
        },
  );
const player = z.object({
  videoDetails: z.object({ videoId: z.string().optional() }).nullish().catch(undefined),
  playabilityStatus: z.object({ status: z.string(), reason: z.string().nullish() }).nullish(),
  captions: z
    .object({
      playerCaptionsTracklistRenderer: z
        .object({
          captionTracks: z.array(captionTrack.catch(undefined)).catch([]),
          audioTracks: z
            .array(
              z.object({
                audioTrackId: z.string().optional().catch(undefined),
                captionTrackIndices: z.array(z.number()).optional().catch(undefined),
                defaultCaptionTrackIndex: place,
              }),
            )
            .catch([]),
          defaultAudioTrackIndex: place,
          defaultTranslationSourceTrackIndices: z.array(z.number()).catch([]),
        })
        .nullish(),
    })
    .nullish(),
});

/** Client of YouTube: video metadata from the Data API, captions as its players get them. */
export class YouTube {
  readonly #options: YouTubeOptions;

  constructor(options: YouTubeOptions) {
    this.#options = options;
  }

  /** Whether the Data API can be used. */
  get hasKey(): boolean {
    return this.#options.apiKey !== undefined;
  }

  /** Asks the Data API once, for one unit of quota. It never throws: a failure is a result. */
  async metadata(videoId: string): Promise<MetadataAnswer> {
    const query = new URLSearchParams({ part: 'snippet', id: videoId });
    let response: Response;
    try {
      response = await fetch(`${this.#options.apiUrl.replace(/\/+$/, '')}/youtube/v3/videos?${query}`, {
        // In a header, because URLs are logged on the way.
        headers: { 'x-goog-api-key': this.#options.apiKey ?? '' },
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (error) {
      const code = fetchFault(error);
      return { kind: 'failed', sent: !neverSent(code), reason: `the Data API does not respond (${code})` };
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
        audio_language: snippet.defaultAudioLanguage ?? null,
        tags: snippet.tags ?? [],
      },
    };
  }

  /**
   * Returns the captions of a video in its spoken language.
   * @param audioLanguage the spoken language as other sources state it.
   * @throws {PermanentTaskError} if it has none, or does not exist.
   * @throws {RetryableTaskError} if YouTube does not respond, or refuses this machine.
   */
  async captions(videoId: string, audioLanguage: string | null, signal: AbortSignal): Promise<Captions> {
    const track = spokenTrack(await this.#captionList(videoId, signal), audioLanguage);
    if (!track) throw noCaptions(`the video ${videoId} has no captions`);
    // Uses the site in the settings, whichever host the track names.
    const { pathname, search } = new URL(track.url, this.#options.siteUrl);
    const { status, text } = await this.#ask(`${pathname}${search}`, { signal });
    if (status !== 200) throw noCaptions(`YouTube answered ${status} for the captions of ${videoId}`);
    // Instead of a refusal, YouTube sometimes responds with 200 and an empty body.
    if (text.trim() === '') throw blocked('YouTube answered with empty captions');
    const { captionLines } = await import('./captions.ts');
    const segments = captionLines(text);
    if (segments === 'page') throw blocked('YouTube answered with a page in the place of captions');
    if (segments === 'truncated') throw unavailable('the captions are incomplete');
    if (segments === 'unknown') throw noCaptions(`the captions of ${videoId} have an unknown format`);
    if (segments.length === 0) throw noCaptions(`the captions of ${videoId} contain no text`);
    return { text: segments.map((line) => line.text).join(' '), language: track.language || null, segments };
  }

  async #captionList(videoId: string, signal: AbortSignal): Promise<CaptionList> {
    const page = await this.#ask(`/watch?${new URLSearchParams({ v: videoId })}`, { signal });
    if (page.status !== 200) throw notThere(`YouTube has no video ${videoId} (it answered ${page.status})`);
    const key = PLAYER_KEY.exec(page.text)?.[1];
    // A page for people without a player: it asks for consent, or for proof that the reader is no robot.
    if (key === undefined || page.text.includes('class="g-recaptcha"')) {
      throw blocked('YouTube shows this machine a page without a player');
    }
    const answer = await this.#ask(`/youtubei/v1/player?${new URLSearchParams({ key })}`, {
      method: 'POST',
      body: JSON.stringify({ context: { client: PLAYER_CLIENT }, videoId }),
      headers: { 'content-type': 'application/json' },
      signal,
    });
    if (answer.status !== 200) throw unavailable(`YouTube's player answered ${answer.status}`);
    const { videoDetails, captions } = playerAnswer(answer.text);
    // To a machine that it refuses, YouTube has sent another video, with the status OK.
    if ((videoDetails?.videoId ?? videoId) !== videoId) throw blocked("YouTube's player answered with another video");
    const list = captions?.playerCaptionsTracklistRenderer;
    return {
      tracks: list?.captionTracks ?? [],
      audio: (list?.audioTracks ?? []).map((track) => ({
        id: track.audioTrackId,
        captions: track.captionTrackIndices,
        defaultCaptions: track.defaultCaptionTrackIndex,
      })),
      defaultAudio: list?.defaultAudioTrackIndex,
      translationSource: list?.defaultTranslationSourceTrackIndices[0],
    };
  }

  /** @throws if the response says nothing about the video: YouTube is away, or refuses this machine. */
  async #ask(
    path: string,
    {
      signal,
      headers,
      ...request
    }: { signal: AbortSignal; method?: string; body?: string; headers?: Record<string, string> },
  ): Promise<{ status: number; text: string }> {
    let response: Response;
    let text: string | undefined;
    try {
      response = await fetch(`${this.#options.siteUrl.replace(/\/+$/, '')}${path}`, {
        ...request,
        headers: { ...headers, 'user-agent': BROWSER, cookie: CONSENT },
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      text = await textWithin(response, MAX_BYTES);
    } catch (error) {
      throw unavailable(`YouTube does not respond (${fetchFault(error)})`, error);
    }
    const { status } = response;
    if (status === 429 || status === 403) throw blocked(`YouTube answered ${status}`);
    if (status >= 500) throw unavailable(`YouTube answered ${status}`);
    if (text === undefined) throw noCaptions(`YouTube answered with more than ${MAX_BYTES} bytes`);
    return { status, text };
  }
}

/** Returns undefined if the body is longer than `maxBytes`; then it stops reading. */
async function textWithin(response: Response, maxBytes: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

function playerAnswer(text: string): z.infer<typeof player> {
  let read: z.infer<typeof player>;
  try {
    read = player.parse(JSON.parse(text));
  } catch {
    throw blocked("YouTube's player answered with something else than it usually does");
  }
  const { status = 'OK', reason } = read.playabilityStatus ?? {};
  if (status === 'OK') return read;
  if (/bot|unusual traffic/i.test(reason ?? '')) throw blocked(`YouTube asks this machine to sign in`);
  throw notThere(`YouTube does not show this video: ${reason ?? status}`);
}

function noCaptions(what: string): PermanentTaskError {
  const message = `${what}; if you have its transcript, ${PASS_IT}`;
  return new PermanentTaskError({ type: 'TranscriptUnavailable', message });
}

function notThere(message: string): PermanentTaskError {
  return new PermanentTaskError({ type: 'VideoUnavailable', message });
}

function blocked(what: string): RetryableTaskError {
  const message = `${what}: it probably refuses this machine; if you have the transcript, ${PASS_IT}`;
  return new RetryableTaskError({ type: 'YouTubeBlocked', message });
}

function unavailable(message: string, cause?: unknown): RetryableTaskError {
  return new RetryableTaskError({ type: 'YouTubeUnavailable', message, cause });
}
