import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, startStandIn } from './http-stand-in.ts';

/** How YouTube behaves towards a video. */
export interface Video {
  title?: string;
  /** What is said, as HTML; undefined: it has no captions. */
  captions?: string[];
  /** The document of captions that it serves instead, by the language of the track. */
  document?: Record<string, string>;
  /** The captions come when this is over. */
  captionsAfter?: Promise<void>;
  /** What the player lists beside `captions` or `document`. */
  list?: object;
  /** Of the Data API: what it answers instead. */
  api?: 'missing' | 'quota' | 'broken' | 'garbage' | 'hang' | 'reset';
  /** Of the site: what goes wrong, and where. */
  site?: 'consent' | 'bot' | 'gone' | 'private' | 'too-many' | 'broken' | 'empty' | 'reset' | 'garbage' | 'substitute';
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** The Data API and the site, as far as ingestion needs them, with what they are known to do wrong. */
export async function startYouTubeStandIn({ apiDelayMs = 0 } = {}) {
  const videos = new Map<string, Video>();
  const apiCalls: string[] = [];
  const siteCalls: string[] = [];
  const keys = new Set<string>();

  const dataApi = (id: string): Answer => {
    const video = videos.get(id);
    switch (video?.api) {
      case 'missing':
        return { body: { kind: 'youtube#videoListResponse', items: [] } };
      case 'quota':
        return { status: 403, body: { error: { code: 403, errors: [{ reason: 'quotaExceeded' }] } } };
      case 'broken':
        return { status: 500, body: 'Internal error' };
      case 'garbage':
        return { body: '<html>' };
      case 'hang':
      case 'reset':
        return video.api;
      default:
        break;
    }
    const snippet = {
      title: video?.title ?? `Title of ${id}`,
      channelTitle: 'A channel',
      publishedAt: '2026-01-02T03:04:05Z',
      tags: ['talk'],
      defaultAudioLanguage: 'en',
    };
    return { body: { kind: 'youtube#videoListResponse', items: [{ kind: 'youtube#video', id, snippet }] } };
  };

  const consent: Answer = { body: '<html><form action="https://consent.youtube.com/save"></form></html>' };
  const watchPage = (id: string, cookie: string): Answer => {
    const { site } = videos.get(id) ?? {};
    if (site === 'reset') return 'reset';
    if (site === 'too-many') return { status: 429, body: 'Too many requests' };
    if (site === 'broken') return { status: 503, body: 'Try later' };
    if (site === 'gone') return { status: 404, body: 'Not found' };
    // In the European Union, to a reader who has not seen it.
    if (site === 'consent' || !/(?:^|; )SOCS=CAI/.test(cookie)) return consent;
    return { body: '<html><script>ytcfg.set({"INNERTUBE_API_KEY":"inner-key"})</script></html>' };
  };

  const player = (id: string): Answer => {
    const video = videos.get(id);
    if (video?.site === 'garbage') return { body: '<html>' };
    const status = (word: string, reason: string) => ({ body: { playabilityStatus: { status: word, reason } } });
    if (video?.site === 'bot') return status('LOGIN_REQUIRED', "Sign in to confirm you're not a bot");
    if (video?.site === 'private') return status('LOGIN_REQUIRED', 'This video is private');
    const trackOf = (languageCode: string) => ({
      baseUrl: `https://www.youtube.com/api/timedtext?v=${id}&lang=${languageCode}&fmt=srv3`,
      languageCode,
    });
    const tracks = video?.document
      ? Object.keys(video.document).map(trackOf)
      : video?.captions && [{ ...trackOf('en'), kind: 'asr' }];
    return {
      body: {
        playabilityStatus: { status: 'OK' },
        videoDetails: { videoId: video?.site === 'substitute' ? 'aQvGIIdgFDM' : id },
        ...(tracks ? { captions: { playerCaptionsTracklistRenderer: { captionTracks: tracks, ...video?.list } } } : {}),
      },
    };
  };

  const timedText = (id: string, language: string): Answer => {
    const video = videos.get(id);
    const document = video?.document?.[language];
    if (document !== undefined) return { headers: { 'content-type': 'text/xml; charset=UTF-8' }, body: document };
    if (video?.site === 'empty') return { body: '' };
    const lines = (video?.captions ?? []).map(
      (line, index) => `<text start="${index * 2}.5" dur="2">${escaped(line)}</text>`,
    );
    return {
      headers: { 'content-type': 'text/xml; charset=utf-8' },
      body: `<?xml version="1.0" encoding="utf-8" ?><transcript>${lines.join('')}</transcript>`,
    };
  };

  const server = await startStandIn(async ({ method, url, headers, body }) => {
    const route = `${method} ${url.pathname}`;
    if (route === 'GET /youtube/v3/videos') {
      const id = url.searchParams.get('id') ?? '';
      apiCalls.push(id);
      keys.add(String(headers['x-goog-api-key']));
      await delay(apiDelayMs);
      return dataApi(id);
    }
    siteCalls.push(`${route} ${url.searchParams.get('v') ?? ''}`.trim());
    if (route === 'GET /watch') return watchPage(url.searchParams.get('v') ?? '', headers.cookie ?? '');
    if (route === 'POST /youtubei/v1/player' && url.searchParams.get('key') === 'inner-key') {
      return player((JSON.parse(body) as { videoId: string }).videoId);
    }
    if (route === 'GET /api/timedtext') {
      await videos.get(url.searchParams.get('v') ?? '')?.captionsAfter;
      return timedText(url.searchParams.get('v') ?? '', url.searchParams.get('lang') ?? '');
    }
    return { status: 404, body: 'Not found' };
  });
  return { ...server, videos, apiCalls, siteCalls, keys };
}
