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

/** More elements than any article has: reading one takes memory and time for each. */
const MAX_ELEMENTS = 100_000;

/**
 * The article on a page (Mozilla's Readability on linkedom, which runs no script and fetches nothing).
 * @throws {PermanentTaskError} where there is none.
 */
export function articleOf(source: string, type: string, url: string): Article {
  if (!/html/.test(type)) return textOf(source, url);
  const { document } = parseHTML(source);
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
  const parsed = new Readability(document as never, { maxElemsToParse: MAX_ELEMENTS }).parse();
  const text = tidy(parsed?.textContent ?? '');
  if (!parsed || text === '') {
    throw new PermanentTaskError({ type: 'NothingToRead', message: 'the page holds no text that can be read' });
  }
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
  if (text === '') throw new PermanentTaskError({ type: 'NothingToRead', message: 'the page is empty' });
  const title = text.split('\n')[0]?.slice(0, 200) || new URL(url).hostname;
  return { title, author: null, language: null, published_at: null, tags: [], text };
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
