import { html } from 'hono/html';
import { type Html, linkTo } from '../view.ts';

export interface Column<Row> {
  title: string;
  /** `number` is right-aligned; `wide` takes the remaining width and is cut off; `tight` never wraps. */
  kind?: 'number' | 'wide' | 'tight';
  cell(row: Row): unknown;
}

export interface TableOptions<Row> {
  /** Describes the rows for screen readers. */
  caption: string;
  columns: ReadonlyArray<Column<Row>>;
  rows: readonly Row[];
  /** Identifies a row in the page, also after a refresh. */
  idOf(row: Row): string;
  /** Makes rows selectable. Returns the value of a row's checkbox, which the form around the table sends as `id`; undefined for none. */
  selectable?: ((row: Row) => string | undefined) | undefined;
}

/**
 * Returns a table. The keys j and k move through its rows, and each row leads to its first link. On a narrow screen, it scrolls sideways.
 */
export function table<Row>({ caption, columns, rows, idOf, selectable }: TableOptions<Row>): Html {
  const box = (row: Row) => {
    const value = selectable?.(row);
    if (value === undefined) return html`<td class="check"></td>`;
    return html`<td class="check"><input type="checkbox" name="id" value="${value}" aria-label="Select ${value}"></td>`;
  };
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<caption class="hidden">${caption}</caption>
<thead><tr>${selectable ? html`<th class="check" scope="col"><input type="checkbox" data-select-page aria-label="Select all on this page"></th>` : ''}${columns.map(({ title, kind }) => html`<th scope="col" class="${kind ?? ''}">${title}</th>`)}</tr></thead>
<tbody>${rows.map(
    (row) =>
      html`<tr id="row-${idOf(row)}" data-row>${selectable ? box(row) : ''}${columns.map(({ kind, cell }) => html`<td class="${kind ?? ''}">${cell(row)}</td>`)}</tr>
`,
  )}</tbody></table></div>`;
}

/**
 * Returns links between the pages of a list. A page starts after a cursor, so pages have no numbers; the browser's back button goes back.
 * @param path of the list. @param query its filters, without the cursor.
 */
export function pager(
  path: string,
  query: Record<string, string | number | boolean | undefined>,
  { cursor, next }: { cursor: string | undefined; next: string | null },
): Html {
  if (cursor === undefined && next === null) return html``;
  return html`<nav class="pager" aria-label="Pages of the list">${cursor === undefined ? '' : html`<a class="button" href="${linkTo(path, query)}" rel="first">Newest</a>`}${next === null ? html`<span class="hint">This is the last page.</span>` : html`<a class="button" href="${linkTo(path, { ...query, cursor: next })}" rel="next">Older</a>`}</nav>`;
}
