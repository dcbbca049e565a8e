import { html } from 'hono/html';
import type { Html } from '../view.ts';
import { hidden } from './action.ts';

interface FieldBase {
  name: string;
  label: string;
  value: string | number | undefined;
}

/** A filter of a list. */
export type FilterField =
  | (FieldBase & { kind: 'search' | 'text'; hint?: string; suggestions?: readonly string[] })
  | (FieldBase & { kind: 'choice'; any: string; choices: ReadonlyArray<readonly [value: string, label: string]> })
  | (FieldBase & { kind: 'check' });

/**
 * Filters of a list. They are in the URL, so that a filtered list can be sent to somebody; a choice applies at once where there is
 * JavaScript. The field of the kind `search` has the key `/`. @param kept what the URL keeps besides, as the time that is shown.
 */
export function filterForm(
  action: string,
  fields: readonly FilterField[],
  kept: Record<string, string | undefined> = {},
): Html {
  const filtered = fields.some(({ value }) => value !== undefined && value !== '');
  return html`<form class="filters" method="get" action="${action}" role="search" data-filters>${hidden(kept)}${fields.map(field)}<button type="submit">Apply</button>${filtered ? html`<a class="button quiet" href="${action}">Clear</a>` : ''}</form>`;
}

function field(one: FilterField): Html {
  switch (one.kind) {
    case 'search':
    case 'text': {
      const list = one.suggestions?.length ? `list-${one.name}` : undefined;
      return html`<label class="field ${one.kind}"><span>${one.label}</span><input type="search" name="${one.name}" value="${one.value ?? ''}" placeholder="${one.hint ?? ''}" autocomplete="off" maxlength="255"${one.kind === 'search' ? html` data-key="/"` : ''}${list ? html` list="${list}"` : ''}></label>${list ? html`<datalist id="${list}">${one.suggestions?.map((text) => html`<option value="${text}">`)}</datalist>` : ''}`;
    }
    case 'choice':
      return html`<label class="field"><span>${one.label}</span><select name="${one.name}"><option value="">${one.any}</option>${one.choices.map(([value, label]) => html`<option value="${value}"${String(one.value) === value ? html` selected` : ''}>${label}</option>`)}</select></label>`;
    case 'check':
      return html`<label class="field check"><input type="checkbox" name="${one.name}" value="true"${one.value ? html` checked` : ''}><span>${one.label}</span></label>`;
    default:
      one satisfies never;
      throw new Error('unreachable');
  }
}
