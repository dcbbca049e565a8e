/** Of an id that stands alone, since any word of other length could be one otherwise. */
const ID = /^[A-Za-z0-9_-]{11}$/;
/** Of an id in a URL; no stricter, because YouTube promises no length. */
const ID_IN_URL = /^[A-Za-z0-9_-]{1,64}$/;
const HOST = /^(?:[a-z0-9-]+\.)?(?:youtube\.com|youtube-nocookie\.com|youtu\.be)$/;
const PATH_FORMS = new Set(['shorts', 'live', 'embed', 'v', 'e', 'watch']);

/**
 * The id of the video that a text names: an id, or any form of a YouTube URL, with or without its scheme. Undefined where
 * it names none. Two texts with one id are the same video.
 */
export function youtubeVideoId(given: string): string | undefined {
  const text = given.trim();
  if (ID.test(text)) return text;
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`);
  if (!url || !/^https?:$/.test(url.protocol) || !HOST.test(url.hostname)) return undefined;
  const id = idIn(url);
  return id !== undefined && ID_IN_URL.test(id) ? id : undefined;
}

function idIn(url: URL): string | undefined {
  const [first = '', second] = url.pathname.split('/').filter((part) => part !== '');
  if (url.hostname.endsWith('youtu.be')) return first;
  if (PATH_FORMS.has(first) && second !== undefined) return second;
  // Shared links wrap another path: /attribution_link?u=/watch?v=..., /oembed?url=https://...
  const wrapped = url.searchParams.get('u') ?? url.searchParams.get('url');
  if (wrapped) return URL.parse(wrapped, url.href)?.searchParams.get('v') ?? undefined;
  return url.searchParams.get('v') ?? undefined;
}
