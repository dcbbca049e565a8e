import { sha256 } from '../record/hash.ts';

/** Returns the content id of a video, which is the same for every form of its URL. */
export function contentIdOfVideo(videoId: string): string {
  return `yt:${videoId}`;
}

/** Parameters that say where a reader came from, and nothing about the page. */
const TRACKING = /^(utm_\w+|fbclid|gclid|dclid|msclkid|mc_cid|mc_eid|igshid)$/;

/**
 * Returns the URL that a page is kept under: without fragment, credentials and tracking parameters. Undefined if the text is not an
 * http or https URL.
 */
export function pageUrlOf(text: string): string | undefined {
  const url = URL.parse(text.trim());
  if (!url || !/^https?:$/.test(url.protocol)) return undefined;
  url.hash = '';
  url.username = '';
  url.password = '';
  // Written anew, the rest of the query could mean something else to the site.
  const parts = url.search.slice(1).split('&');
  const kept = parts.filter((part) => !TRACKING.test(part.split('=', 1)[0] ?? ''));
  if (kept.length < parts.length) url.search = kept.join('&');
  return url.href;
}

/** Returns the content id of a web page, by its {@link pageUrlOf}. */
export function contentIdOfPage(pageUrl: string): string {
  return `web:${sha256(pageUrl).slice(0, 32)}`;
}
