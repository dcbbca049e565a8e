import { html } from 'hono/html';
import type { Right } from '../../contracts/keys/key-event.ts';
import type { ConsoleContext, Html, View } from '../view.ts';
import { type IconName, icon } from './icon.ts';

export interface Action {
  /** Without this right, there is no button. Default: `operate`. */
  right?: Right;
  /** Path that the form is sent to, relative to the base of the console. */
  to: string;
  label: string;
  icon?: IconName;
  tone?: 'main' | 'danger';
  /** The key that presses it: `r` or `c`. */
  key?: 'r' | 'c';
  /** The question before it happens: in a dialog or, without JavaScript, on a page ({@link confirmed}). */
  confirm?: string;
  fields?: Record<string, string | number>;
}

/** Returns a button that changes something, in a form of its own; nothing if the caller may not. */
export function action(view: View, { right = 'operate', to, label, fields = {}, confirm, ...look }: Action): Html {
  if (!view.may(right)) return html``;
  return html`<form method="post" action="${to}" class="action"${confirm ? html` data-confirm="${confirm}"` : ''}>${hidden(fields)}<button type="submit" class="${look.tone ?? ''}"${look.key ? html` data-key="${look.key}"` : ''}>${look.icon ? icon(look.icon) : ''}${label}${look.key ? html`<kbd>${look.key}</kbd>` : ''}</button></form>`;
}

/** Returns hidden fields. A list becomes one field for each of its values. */
export function hidden(fields: Record<string, string | number | boolean | readonly string[] | undefined>): Html {
  return html`${Object.entries(fields).map(([name, value]) =>
    [value ?? []].flat().map((one) => html`<input type="hidden" name="${name}" value="${one}">`),
  )}`;
}

/** Reads the fields of a form. If a field occurs twice, the last one counts. */
export async function fieldsOf(c: ConsoleContext): Promise<Record<string, string>> {
  return Object.fromEntries(await formOf(c));
}

/** Reads a form as it was sent. */
export async function formOf(c: ConsoleContext): Promise<URLSearchParams> {
  return new URLSearchParams(await c.req.text());
}
