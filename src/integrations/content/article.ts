import { Readability } from '@mozilla/readability';
import { LIMITS } from '../../contracts/budgets.ts';
import { publishedAtOf } from '../../domain/content/published-at.ts';
import { PermanentTaskError } from '../../domain/tasks/task-error.ts';
import { countElements, documentOf, firstElement, LINES, pageTree, textOf } from './page-document.ts';

/** The content of a page, without what surrounds it. */
export interface Article {
  title: string;
  author: string | null;
  language: string | null;
  published_at: string | null;
  tags: string[];
  text: string;
}

/** How a page is parsed. */
export type PageKind = 'html' | 'xml' | 'text';

/** The members of an element that are used here. There are no DOM types. */
interface Element {
  readonly textContent: string | null;
  querySelectorAll(selector: string): Iterable<{ before(text: string): void; after(text: string): void }>;
}

const LINE_ELEMENTS = [...LINES].join();
const CELLS = 'td,th';
const FRAMES = 'the page shows only frames; take the URL of the frame with the text';

/**
 * Returns the article on a page (Mozilla's Readability on linkedom, which runs no script and fetches nothing). If Readability finds none,
 * fails or would take too long, returns everything that the page shows.
 * @throws {PermanentTaskError} if nothing can be read.
 */
export function articleOf(source: string, kind: PageKind, url: string): Article {
  if (source.trim() === '') throw nothing('the page is empty');
  if (kind === 'text') return articleOfText(source, url);
  const tree = pageTree(source, kind);
  if (!tree) throw nothing('the page is XML that is no XHTML; only HTML and text are read');
  const isLong = countElements(tree) > LIMITS.pages.elements;
  const head = firstElement(tree, 'head');
  const document = documentOf(isLong && head ? { ...tree, childNodes: [head] } : tree);
  const meta = (names: string[]): string | null => {
    for (const name of names) {
      const found = document.querySelector(`meta[property="${name}"], meta[name="${name}"], meta[itemprop="${name}"]`);
      const content = found?.getAttribute('content')?.trim();
      if (content) return content;
    }
    return null;
  };
  const refresh = document.querySelector('meta[http-equiv="refresh" i]:not(noscript *)')?.getAttribute('content');
  const next = targetOf(refresh ?? '', url);
  if (next !== undefined) {
    const message = `the page leads on to ${next}; take that URL`;
    throw new PermanentTaskError({ type: 'PageRefused', message });
  }
  const keywords = meta(['keywords', 'article:tag']) ?? '';
  const published = meta(['article:published_time', 'datePublished', 'date']);
  const author = meta(['author']);
  const title = document.querySelector('title')?.textContent;
  const language = document.documentElement.getAttribute('lang')?.trim() || null;
  const parsed = isLong ? undefined : readable(document);
  const body = firstElement(tree, 'body') ?? firstElement(tree, 'frameset');
  const text = (parsed?.content && tidy(spaced(parsed.content))) || (body ? tidy(textOf(body)) : '');
  if (text === '') {
    throw nothing(body?.tagName === 'frameset' ? FRAMES : 'the page holds no text that can be read');
  }
  return {
    title: oneLine(parsed?.title) || oneLine(title) || new URL(url).hostname,
    author: oneLine(parsed?.byline) || author,
    language: language ?? parsed?.lang ?? null,
    published_at: publishedAtOf(published ?? parsed?.publishedTime ?? ''),
    tags: keywords
      .split(',')
      .map((tag) => tag.trim())
      .filter((tag) => tag !== '' && tag.length <= 100)
      .slice(0, 50),
    text,
  };
}

/** Returns where `<meta http-equiv="refresh">` leads within 5 s; undefined if to no other page. */
function targetOf(refresh: string, url: string): string | undefined {
  const [, given = ''] = /^\s*[0-5](?:\.\d*)?\s*[;,]\s*(?:url\s*=\s*)?["']?([^"']+)/i.exec(refresh) ?? [];
  const [next, page] = [URL.parse(given.trim(), url), new URL(url)];
  if (given === '' || !next || !/^https?:$/.test(next.protocol)) return undefined;
  for (const one of [next, page]) one.hash = '';
  return next.href === page.href ? undefined : next.href;
}

/** Returns undefined if Readability finds nothing or fails on the page. The result must not depend on it. */
function readable(document: ReturnType<typeof documentOf>) {
  try {
    return new Readability<Element>(document as never, { serializer: (node) => node as unknown as Element }).parse();
  } catch {
    return undefined;
  }
}

function articleOfText(source: string, url: string): Article {
  const text = tidy(source);
  if (text === '') throw nothing('the page is empty');
  const title = text.split('\n')[0]?.slice(0, 200) || new URL(url).hostname;
  return { title, author: null, language: null, published_at: null, tags: [], text };
}

/**
 * Returns the text of an element as it is displayed. Without this, words on either side of a tag would run together if the source has no
 * space between them.
 */
function spaced(element: Element): string {
  for (const line of element.querySelectorAll(LINE_ELEMENTS)) {
    line.before('\n');
    line.after('\n');
  }
  for (const cell of element.querySelectorAll(CELLS)) cell.after(' ');
  return element.textContent ?? '';
}

function nothing(message: string): PermanentTaskError {
  return new PermanentTaskError({ type: 'NothingToRead', message });
}

/** Removes space around lines, and leaves one empty line between paragraphs. */
function tidy(text: string): string {
  return text
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

function oneLine(text: string | null | undefined): string | undefined {
  return text?.replace(/\s+/g, ' ').trim();
}
