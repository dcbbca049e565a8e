import { html } from 'hono/html';
import { notFound } from '../../commands/refusal.ts';
import type { ContentDetail } from '../../contracts/content/content.ts';
import type { ConsoleDependencies } from '../app.ts';
import { page } from '../layout.ts';
import { factsCard } from '../parts/facts.ts';
import { outsideLink } from '../parts/outside-link.ts';
import { count, counted, time } from '../parts/time.ts';
import type { Console, Html, View } from '../view.ts';
import { tagLinks } from './content.ts';

/** How many pieces of the text are shown. */
const SHOWN = 20;

/** Adds the page of one document: its facts, its summaries, its text. */
export function contentDetail(console: Console, { content }: ConsoleDependencies): void {
  console.get('/content/:id', async (c) => {
    const id = c.req.param('id');
    const found = id.length > 255 || id.includes('\u0000') ? undefined : await content.findDetail(id, true);
    if (!found) throw notFound(`content ${id.slice(0, 255)}`);
    const { title, summaries, chunk_texts: texts = [] } = found;
    const rest = texts.length - SHOWN;
    const summary = summaries.map(
      ({ model, text }) =>
        html`<section class="card"><header><h2>Summary</h2><span class="hint">${model}</span></header><p class="prose">${text}</p></section>`,
    );
    const text = html`<section class="card"><header><h2>Text</h2><span class="hint">${counted(texts.length, 'piece')}</span></header>${texts.slice(0, SHOWN).map((piece) => html`<p class="prose">${piece}</p>`)}${rest > 0 ? html`<p class="hint">and ${counted(rest, 'piece')} more; <code>GET /api/v1/content/${id}?chunks=true</code> has all.</p>` : ''}</section>`;
    return page(c, {
      title,
      place: 'content',
      content: html`<div class="split"><div class="aside">${summary}${text}</div>${aboutIt(c.var.view, found)}</div>`,
    });
  });
}

function aboutIt(view: View, content: ContentDetail): Html {
  const { content_id, url, author, language, published_at, tags, version, characters, embedded } = content;
  const vectors = embedded.map(({ model, chunks }) => `${model}: ${counted(chunks, 'piece')}`).join(', ');
  return factsCard([
    ['Id', html`<code>${content_id}</code>`],
    ['URL', outsideLink(url, url)],
    author !== null && ['Author', author],
    language !== null && ['Language', language],
    published_at !== null && ['Published', time(view, published_at)],
    tags.length > 0 && ['Tags', tagLinks(tags)],
    ['Version', String(version)],
    ['Characters', count(characters)],
    ['Vectors', vectors === '' ? html`<span class="none">none</span>` : vectors],
    ['Ingested', time(view, content.created_at)],
    ['Updated', time(view, content.updated_at)],
  ]);
}
