import { html } from 'hono/html';
import type { Html } from '../view.ts';
import { hidden } from './action.ts';

interface FieldBase {
  name: string;
  label: string;
}

/** A filter of a list. */
export type FilterField =
  | (FieldBase & { kind: 'search' | 'text'; hint?: string; suggestions?: readonly string[] })
  | (FieldBase & { kind: 'choice'; any: string; choices: ReadonlyArray<readonly [value: string, label: string]> })
  | (FieldBase & { kind: 'check' });

type Value = string | number | boolean | undefined;

/**
 * Returns the filters of a list. They are in the URL, so that people can send each other a filtered list. With JavaScript, a choice applies
 * at once. The key `/` goes to the field of kind `search`. @param query all that the URL says; what has no field stays in it.
 */
export function filterForm(action: string, query: Record<string, Value>, fields: readonly FilterField[]): Html {
  const kept = Object.entries(query).filter(([name]) => !fields.some((one) => one.name === name));
  const filtered = Object.values(query).some((value) => value !== undefined);
  return html`<form class="filters" method="get" action="${action}" role="search" data-filters>${hidden(Object.fromEntries(kept))}${fields.map((one) => field(one, query[one.name]))}<button type="submit">Apply</button>${filtered ? html`<a class="button quiet" href="${action}">Clear</a>` : ''}</form>`;
}

function field(one: FilterField, now: Value): Html {
  switch (one.kind) {
    case 'search':
    case 'text': {
      const list = one.suggestions?.length ? `list-${one.name}` : undefined;
      return html`<label class="field ${one.kind}"><span>${one.label}</span><input type="search" name="${one.name}" value="${now ?? ''}" placeholder="${one.hint ?? ''}" autocomplete="off" maxlength="255"${one.kind === 'search' ? html` data-key="/"` : ''}${list ? html` list="${list}"` : ''}></label>${list ? html`<datalist id="${list}">${one.suggestions?.map((text) => html`<option value="${text}">`)}</datalist>` : ''}`;
    }
    case 'choice':
      return html`<label class="field"><span>${one.label}</span><select name="${one.name}"><option value="">${one.any}</option>${one.choices.map(([value, label]) => html`<option value="${value}"${String(now) === value ? html` selected` : ''}>${label}</option>`)}</select></label>`;
    case 'check':
      return html`<label class="field check"><input type="checkbox" name="${one.name}" value="true"${now ? html` checked` : ''}><span>${one.label}</span></label>`;
    default:
      one satisfies never;
      throw new Error('unreachable');
  }
}
