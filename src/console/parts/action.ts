import { html } from 'hono/html';
import type { Right } from '../../contracts/keys/key-event.ts';
import type { ConsoleContext, Html, View } from '../view.ts';
import { type IconName, icon } from './icon.ts';

export interface Action {
  /** Without it the button is not there. Default: `operate`. */
  right?: Right;
  /** Where the form is sent, relative to the base of the console. */
  to: string;
  label: string;
  icon?: IconName;
  tone?: 'main' | 'danger';
  /** The key that presses it: `r` or `c`. */
  key?: 'r' | 'c';
  /** What will happen, asked before it does: by a dialog or, without JavaScript, by a page ({@link unconfirmed}). */
  confirm?: string;
  fields?: Record<string, string | number>;
}

/** A button that changes something: a form of its own. Nothing where the caller may not. */
export function action(view: View, { right = 'operate', to, label, fields = {}, confirm, ...look }: Action): Html {
  if (!view.may(right)) return html``;
  return html`<form method="post" action="${to}" class="action"${confirm ? html` data-confirm="${confirm}"` : ''}>${hidden(fields)}<button type="submit" class="${look.tone ?? ''}"${look.key ? html` data-key="${look.key}"` : ''}>${look.icon ? icon(look.icon) : ''}${label}${look.key ? html`<kbd>${look.key}</kbd>` : ''}</button></form>`;
}

/** Fields that nobody sees; a list is one field for each of its values. */
export function hidden(fields: Record<string, string | number | boolean | readonly string[] | undefined>): Html {
  return html`${Object.entries(fields).map(([name, value]) =>
    [value ?? []].flat().map((one) => html`<input type="hidden" name="${name}" value="${one}">`),
  )}`;
}

/** The fields of a form, the last where one is sent twice. */
export async function fieldsOf(c: ConsoleContext): Promise<Record<string, string>> {
  return Object.fromEntries(await formOf(c));
}

/** A form as it was sent. */
export async function formOf(c: ConsoleContext): Promise<URLSearchParams> {
  return new URLSearchParams(await c.req.text());
}
