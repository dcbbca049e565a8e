/** An id that stands alone. For 20 years, YouTube has made no other form. */
const ID = /^[A-Za-z0-9_-]{11}$/;
/** An id at the start of a part of a URL, with whatever was pasted behind it: `&feature=share` in a path, `)`, `"`, `%3E`. */
const ID_AND_REST = /^([A-Za-z0-9_-]{11})(?![A-Za-z0-9_-])/;
/** The value of `v`. It may have another length, since the parameter says what it is. */
const ID_OF_PARAMETER = /^([A-Za-z0-9_-]{1,64})(?:[&?=#].*)?$/;

/** The site, its players for other sites, and the editions for children, music and televisions. Every subdomain is YouTube's too. */
const SITES =
  /(?:^|\.)(?:youtube\.com|youtube-nocookie\.com|youtubekids\.com|youtubeeducation\.com|youtube\.googleapis\.com)$/;
const SHORT = /(?:^|\.)youtu\.be$/;
/** Hosts of preview images, whose paths contain the id. */
const IMAGES = /^(?:i\d?|img)\.ytimg\.com$/;
/** Schemes of YouTube's apps: `vnd.youtube:ID`, `youtube://www.youtube.com/watch?v=ID`. */
const APP = /^(?:vnd\.)?youtube:(?:\/\/)?/i;

/** Routes whose next part is the id. */
const ROUTES_WITH_ID: ReadonlySet<string> = new Set('watch shorts live embed v vi vi_webp an_webp e video'.split(' '));
/** Routes that lead to another URL, and the parameter that holds it. */
const ROUTES_TO_URL: Readonly<Record<string, string>> = {
  attribution_link: 'u',
  oembed: 'url',
  redirect: 'q',
  signin: 'next',
  verify_age: 'next_url',
  verify_controversy: 'next_url',
  supported_browsers: 'next_url',
  m: 'continue',
  ml: 'continue',
};
/** Words of eleven characters that are not ids: what players of lists and channels have in place of an id, and routes of the site. */
const NO_IDS: ReadonlySet<string> = new Set(
  'videoseries live_stream watch_popup share_popup your_videos recommended'.split(' '),
);
const MAX_WRAPPED = 3;

/**
 * Returns the id of the video that a text names. The text is an id, or a link in any form that YouTube's pages and apps make, with or
 * without its scheme. Returns undefined if it names no video, or several. Two texts with the same id mean the same video, so a word from
 * the site's own routes is never an id.
 */
export function youtubeVideoId(given: string): string | undefined {
  const text = given.trim();
  return ID.test(text) ? idOr(text) : idOfLink(text, MAX_WRAPPED);
}

function idOfLink(given: string, wrapped: number): string | undefined {
  const text = given.replace(APP, '');
  if (text !== given && ID_AND_REST.test(text)) return idAtStart(text);
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`);
  if (!url || !/^https?:$/.test(url.protocol)) return undefined;
  const host = url.hostname.replace(/\.$/, '');
  if (!SITES.test(host) && !SHORT.test(host) && !IMAGES.test(host)) return undefined;
  const [first = '', second = ''] = url.pathname.split('/').filter((part) => part !== '');
  const route = first.toLowerCase();
  const target = ROUTES_TO_URL[route];
  if (target !== undefined && url.searchParams.has(target)) {
    const inner = URL.parse(url.searchParams.get(target) ?? '', 'https://www.youtube.com')?.href;
    return inner === undefined || wrapped === 0 ? undefined : idOfLink(inner, wrapped - 1);
  }
  const inPath =
    (SHORT.test(host) ? idAtStart(first) : undefined) ?? (ROUTES_WITH_ID.has(route) ? idAtStart(second) : undefined);
  const inQuery = idOfParameters(url.searchParams);
  return (route === 'watch' ? (inQuery ?? inPath) : (inPath ?? inQuery)) ?? idOfFragment(url, wrapped);
}

/** Looks for the id behind the #, where pages for televisions and old pages for phones keep their route. */
function idOfFragment({ hash }: URL, wrapped: number): string | undefined {
  const rest = hash.replace(/^#!?/, '');
  if (rest.startsWith('/')) return wrapped === 0 ? undefined : idOfLink(`https://www.youtube.com${rest}`, wrapped - 1);
  return rest === '' ? undefined : idOfParameters(new URLSearchParams(rest));
}

/** Looks for the id in query parameters. `amp;v` is the rest of `&amp;v` in a link copied from the source of a page. */
function idOfParameters(parameters: URLSearchParams): string | undefined {
  const value = ['v', 'vi', 'video_id', 'amp;v'].map((name) => parameters.get(name)?.trim()).find((one) => one);
  if (value === undefined) return undefined;
  return idAtStart(value) ?? idOr(ID_OF_PARAMETER.exec(value)?.[1]);
}

function idAtStart(part: string): string | undefined {
  return idOr(ID_AND_REST.exec(part)?.[1]);
}

function idOr(found: string | undefined): string | undefined {
  return found === undefined || NO_IDS.has(found.toLowerCase()) ? undefined : found;
}
