import { Readability } from '@mozilla/readability';
import { parseHTML } from 'linkedom';
import { PermanentTaskError } from '../domain/task-error.ts';

/** What a page says, without what stands around it. */
export interface Article {
  title: string;
  author: string | null;
  language: string | null;
  published_at: string | null;
  tags: string[];
  text: string;
}

/** What is used of an element: there are no types of the DOM here. */
interface Element {
  readonly textContent: string | null;
  querySelectorAll(selector: string): Iterable<{ before(text: string): void; after(text: string): void }>;
}

/** More elements than any article has: reading one takes memory and time for each. */
const MAX_ELEMENTS = 100_000;

/** Elements that begin a line of their own, which their text does not say. */
const LINES =
  'address,article,aside,blockquote,br,caption,dd,div,dl,dt,figcaption,figure,footer,h1,h2,h3,h4,h5,h6,header,hr,li,main,nav,ol,p,pre,section,table,tr,ul';
const CELLS = 'td,th';

/**
 * The article on a page (Mozilla's Readability on linkedom, which runs no script and fetches nothing).
 * @throws {PermanentTaskError} where there is none.
 */
export function articleOf(source: string, type: string, url: string): Article {
  if (!/html/.test(type)) return textOf(source, url);
  const { document } = parseHTML(source);
  if (!document.documentElement) throw nothing('the page is empty');
  const meta = (names: string[]): string | null => {
    for (const name of names) {
      const found = document.querySelector(`meta[property="${name}"], meta[name="${name}"], meta[itemprop="${name}"]`);
      const content = found?.getAttribute('content')?.trim();
      if (content) return content;
    }
    return null;
  };
  const keywords = meta(['keywords', 'article:tag']) ?? '';
  const published = meta(['article:published_time', 'datePublished', 'date']);
  const language = document.documentElement?.getAttribute('lang')?.trim() || null;
  const parsed = new Readability<Element>(document as never, {
    maxElemsToParse: MAX_ELEMENTS,
    serializer: (node) => node as unknown as Element,
  }).parse();
  const text = parsed?.content ? tidy(spaced(parsed.content)) : '';
  if (!parsed || text === '') throw nothing('the page holds no text that can be read');
  return {
    title: parsed.title?.trim() || new URL(url).hostname,
    author: parsed.byline?.trim() || null,
    language: language ?? parsed.lang ?? null,
    published_at: instantOf(published ?? parsed.publishedTime),
    tags: keywords
      .split(',')
      .map((tag) => tag.trim())
      .filter((tag) => tag !== '' && tag.length <= 100)
      .slice(0, 50),
    text,
  };
}

function textOf(source: string, url: string): Article {
  const text = tidy(source);
  if (text === '') throw nothing('the page is empty');
  const title = text.split('\n')[0]?.slice(0, 200) || new URL(url).hostname;
  return { title, author: null, language: null, published_at: null, tags: [], text };
}

/** The text of an element as it is seen: without this the words on either side of a tag would be one where the source has no space between. */
function spaced(element: Element): string {
  for (const line of element.querySelectorAll(LINES)) {
    line.before('\n');
    line.after('\n');
  }
  for (const cell of element.querySelectorAll(CELLS)) cell.after(' ');
  return element.textContent ?? '';
}

function nothing(message: string): PermanentTaskError {
  return new PermanentTaskError({ type: 'NothingToRead', message });
}

/** Lines without space around them, paragraphs with one empty line between. */
function tidy(text: string): string {
  return text
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

function instantOf(text: string | null | undefined): string | null {
  const at = Date.parse(text ?? '');
  return Number.isNaN(at) ? null : new Date(at).toISOString();
}
