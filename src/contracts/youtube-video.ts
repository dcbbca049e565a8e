/** Of an id that stands alone, since any word of other length could be one otherwise. */
const ID = /^[A-Za-z0-9_-]{11}$/;
/** Of an id in a URL; no stricter, because YouTube promises no length. People append parameters with & where ? belongs. */
const ID_IN_URL = /^([A-Za-z0-9_-]{1,64})(?:[&?=].*)?$/;
const HOST = /^(?:[a-z0-9-]+\.)?(?:youtube\.com|youtube-nocookie\.com|youtu\.be)$/;
const PATH_FORMS = new Set(['shorts', 'live', 'embed', 'v', 'vi', 'e', 'watch']);
/** What players of lists and channels have in the place of an id. */
const NO_IDS = new Set(['videoseries', 'live_stream']);

/**
 * The id of the video that a text names: an id, or any form of a YouTube URL, with or without its scheme. Undefined where
 * it names none. Two texts with one id are the same video.
 */
export function youtubeVideoId(given: string): string | undefined {
  const text = given.trim();
  if (ID.test(text)) return text;
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`);
  if (!url || !/^https?:$/.test(url.protocol) || !HOST.test(url.hostname)) return undefined;
  const id = ID_IN_URL.exec(partWithId(url) ?? '')?.[1];
  return id !== undefined && !NO_IDS.has(id) ? id : undefined;
}

function partWithId(url: URL): string | undefined {
  const [first = '', second] = url.pathname.split('/').filter((part) => part !== '');
  if (url.hostname.endsWith('youtu.be')) return first;
  if (PATH_FORMS.has(first) && second !== undefined) return second;
  // Shared links wrap another path: /attribution_link?u=/watch?v=..., /oembed?url=https://...
  const wrapped = url.searchParams.get('u') ?? url.searchParams.get('url');
  if (wrapped) return URL.parse(wrapped, url.href)?.searchParams.get('v') ?? undefined;
  return url.searchParams.get('v') ?? undefined;
}
