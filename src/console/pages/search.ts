import { html } from 'hono/html';
import { z } from 'zod';
import { CONTENT_TYPES, type SearchAnswer, searchBody } from '../../contracts/content/content.ts';
import { markWords, type Piece, stemmableForMarks } from '../../domain/content/marked-text.ts';
import type { Stems } from '../../domain/content/search-words.ts';
import { answerSearch } from '../../store/content/search-answer.ts';
import { stemWords } from '../../store/content/word-stem.ts';
import type { ConsoleDependencies } from '../app.ts';
import { page } from '../layout.ts';
import { filterForm } from '../parts/filter-form.ts';
import { emptyState } from '../parts/notice.ts';
import { counted } from '../parts/time.ts';
import { queryOf, valid } from '../queries.ts';
import type { Console, Html } from '../view.ts';
import { contentPath, tagLinks } from './content.ts';

const asked = z.object({
  q: searchBody.shape.query.optional(),
  type: searchBody.shape.type,
  tag: z.string().max(100).optional(),
});

const RESULTS = 20;

/** About how many characters of a long piece are shown, around the first word of the query. */
const SHOWN = 420;

/** Adds the page that searches documents, and shows why each was found. */
export function search(console: Console, { db, content, embedQuery }: ConsoleDependencies): void {
  console.get('/search', async (c) => {
    const query = valid(asked, queryOf(c));
    const { q, type, tag } = query;
    const form = filterForm('search', query, [
      { kind: 'search', name: 'q', label: 'Words, or a question' },
      {
        kind: 'choice',
        name: 'type',
        label: 'Type',
        any: 'All',
        choices: CONTENT_TYPES.map((one) => [one, one === 'web' ? 'Page' : 'Video'] as const),
      },
      { kind: 'text', name: 'tag', label: 'Tag' },
    ]);
    let found: unknown = emptyState(
      'What do you look for?',
      'Documents are found by their words and, where there is a model, by their meaning.',
    );
    if (q !== undefined) {
      const tags = tag === undefined ? undefined : [tag];
      const answer = await answerSearch(content, embedQuery, { query: q, limit: RESULTS, type, tags });
      const texts = answer.results.flatMap(({ title, snippet }) => [title, snippet]);
      found = resultList(answer, await stemWords(db, stemmableForMarks(q, texts)));
    }
    return page(c, { title: 'Search', place: 'search', content: html`${form}${found}` });
  });
}

type Result = SearchAnswer['results'][number];

function resultList({ query, results, note, method, model }: SearchAnswer, stems: Stems): Html {
  const how =
    method === 'hybrid' ? html`Searched by words and by meaning (${model}).` : html`Searched ${note ?? 'by words'}.`;
  if (results.length === 0) return html`${emptyState('Nothing was found.', how)}`;
  return html`<p class="hint">${counted(results.length, 'result')}, the best first. ${how}</p>
<ol class="results">${results.map((result) => html`<li data-row>${resultItem(result, query, stems)}</li>`)}</ol>`;
}

function resultItem({ content_id, title, url, tags, snippet, matched_by }: Result, query: string, stems: Stems): Html {
  const name = markWords(title, query, stems);
  const piece = around(markWords(snippet, query, stems));
  return html`<h2><a href="${contentPath(content_id)}">${marks(name)}</a></h2><p class="hint url">${url}</p><p class="prose">${marks(piece)}</p><p class="why"><span class="name">Found because</span> ${why(matched_by, [...name, ...piece])}</p>${tags.length > 0 ? tagLinks(tags) : ''}`;
}

function why(matchedBy: Result['matched_by'], pieces: readonly Piece[]): Html {
  const words = [...new Set(pieces.filter(({ isAsked }) => isAsked).map(({ text }) => text.toLowerCase()))].slice(0, 8);
  const named = words.length > 0 ? html`: ${words.map((word) => html`<mark>${word}</mark> `)}` : '';
  const reasons = [
    ...(matchedBy.includes('all_words') ? [html`it has all words of the query${named}`] : []),
    ...(matchedBy.includes('some_words') ? [html`it has words of the query${named}`] : []),
    ...(matchedBy.includes('meaning') ? [html`its meaning is close to the query's`] : []),
  ];
  return html`${reasons.map((reason, index) => html`${index === 0 ? '' : '; '}${reason}`)}`;
}

/** Returns the text around the first word of the query. */
function around(pieces: readonly Piece[]): Piece[] {
  const first = pieces.findIndex(({ isAsked }) => isAsked);
  const before = pieces.slice(0, Math.max(first, 0)).reduce((sum, { text }) => sum + text.length, 0);
  const from = Math.max(0, before - SHOWN / 3);
  const shown: Piece[] = [];
  let at = 0;
  for (const { text, isAsked } of pieces) {
    const part = text.slice(Math.max(0, from - at), Math.max(0, from + SHOWN - at)).toWellFormed();
    if (part !== '') shown.push({ text: part, isAsked });
    at += text.length;
  }
  const start = from > 0 ? [{ text: '… ', isAsked: false }] : [];
  return [...start, ...shown, ...(at > from + SHOWN ? [{ text: ' …', isAsked: false }] : [])];
}

function marks(pieces: readonly Piece[]): Html {
  return html`${pieces.map(({ text, isAsked }) => (isAsked ? html`<mark>${text}</mark>` : text))}`;
}
