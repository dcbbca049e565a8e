import { html } from 'hono/html';
import { z } from 'zod';
import { readTextCursor, writeCursor } from '../../commands/cursor.ts';
import { createTask } from '../../commands/tasks/create-task.ts';
import { LIMITS } from '../../contracts/budgets.ts';
import { CONTENT_TYPES, type Content, contentListQuery } from '../../contracts/content/content.ts';
import { youtubeVideoId } from '../../contracts/content/youtube-video.ts';
import { findLogEnd } from '../../store/record/log-end.ts';
import { needs } from '../access.ts';
import type { ConsoleDependencies } from '../app.ts';
import { seeOther } from '../flash.ts';
import { page } from '../layout.ts';
import { fieldsOf } from '../parts/action.ts';
import { filterForm } from '../parts/filter-form.ts';
import { emptyState } from '../parts/notice.ts';
import { type Column, pager, table } from '../parts/table.ts';
import { taskPath } from '../parts/task-cells.ts';
import { count, time } from '../parts/time.ts';
import { queryOf, valid } from '../queries.ts';
import { type Console, type Html, linkTo, type View } from '../view.ts';

const query = contentListQuery.omit({ limit: true }).strip();
const ingestFields = z.object({
  url: z.string().trim().min(1).max(LIMITS.content.urlCharacters),
  tags: z
    .string()
    .max(5_000)
    .default('')
    .transform((text) => text.split(',').flatMap((tag) => tag.trim() || [])),
  priority: z.string().optional(),
});

const TYPES: Readonly<Record<Content['type'], string>> = { youtube: 'Video', web: 'Page' };
const PAGE = 50;

/** Returns the path of a document's page. */
export function contentPath(id: string): string {
  return `content/${encodeURIComponent(id)}`;
}

/** Adds the list of documents, and a form that ingests more. */
export function content(console: Console, deps: ConsoleDependencies): void {
  console.get('/content', async (c) => {
    const { cursor, ...filter } = valid(query, queryOf(c));
    const { view } = c.var;
    const since = await findLogEnd(deps.db);
    const { items, end } = await deps.content.list(
      { type: filter.type, tags: filter.tag === undefined ? undefined : [filter.tag] },
      { after: readTextCursor(cursor), limit: PAGE },
    );
    const form = filterForm('content', filter, [
      {
        kind: 'choice',
        name: 'type',
        label: 'Type',
        any: 'All',
        choices: CONTENT_TYPES.map((type) => [type, TYPES[type]] as const),
      },
      { kind: 'text', name: 'tag', label: 'Tag' },
    ]);
    const isFiltered = filter.type !== undefined || filter.tag !== undefined;
    const list =
      items.length > 0
        ? table({
            caption: 'Content',
            columns: columns(view),
            rows: items,
            idOf: ({ content_id }) => encodeURIComponent(content_id),
          })
        : emptyState(
            isFiltered ? 'No document matches.' : 'There is no document yet.',
            isFiltered ? 'Clear the filter to see all.' : 'Ingest the URL of a page or a video.',
          );
    return page(c, {
      title: 'Content',
      place: 'content',
      content: html`${view.may('trigger') ? ingestForm() : ''}${form}${list}${pager('content', filter, { cursor, next: writeCursor(end) })}`,
      live: { topics: ['task'], since },
    });
  });

  console.post('/content', needs('trigger'), async (c) => {
    const { url, tags, priority } = valid(ingestFields, await fieldsOf(c));
    const isVideo = youtubeVideoId(url) !== undefined;
    const kwargs = {
      url,
      ...(tags.length > 0 ? { tags } : {}),
      ...(isVideo && priority !== undefined ? { priority: true } : {}),
    };
    const name = isVideo ? 'ingest_youtube' : 'ingest_url';
    const { id } = await createTask(
      deps,
      { name, args: [], kwargs, caller: c.var.caller, source: 'http' },
      c.var.principal,
    );
    return seeOther(c, taskPath(id), {
      tone: 'good',
      text: 'This task ingests it. The document is in the list when the task has ended.',
      link: 'content',
    });
  });
}

function ingestForm(): Html {
  return html`<form method="post" action="content" class="filters" data-keep><label class="field grow"><span>URL of a page or a YouTube video</span><input name="url" required maxlength="${LIMITS.content.urlCharacters}" placeholder="https://" autocomplete="off" spellcheck="false"></label><label class="field"><span>Tags, with commas between</span><input name="tags" autocomplete="off"></label><label class="field check"><input type="checkbox" name="priority" value="yes"><span>May use the reserved quota</span></label><button type="submit" class="main">Ingest</button></form>`;
}

function columns(view: View): Array<Column<Content>> {
  return [
    {
      title: 'Title',
      kind: 'wide',
      cell: ({ content_id, title }) => html`<a href="${contentPath(content_id)}">${title}</a>`,
    },
    { title: 'Type', kind: 'tight', cell: ({ type }) => TYPES[type] },
    { title: 'Tags', cell: ({ tags }) => tagLinks(tags) },
    { title: 'Characters', kind: 'number', cell: ({ characters }) => count(characters) },
    { title: 'Version', kind: 'number', cell: ({ version }) => version },
    { title: 'Updated', kind: 'tight', cell: ({ updated_at }) => time(view, updated_at) },
  ];
}

/** Returns tags, each with a link to all documents that have it. */
export function tagLinks(tags: readonly string[]): Html {
  return html`<span class="tags">${tags.map((tag) => html`<a class="tag" href="${linkTo('content', { tag })}">${tag}</a>`)}</span>`;
}
