import { html } from 'hono/html';
import { z } from 'zod';
import { operateMany } from '../../commands/lifecycle/operate-many.ts';
import { LIMITS } from '../../contracts/budgets.ts';
import { requireMay } from '../access.ts';
import { ownPath, seeOther } from '../flash.ts';
import { page } from '../layout.ts';
import { valid } from '../queries.ts';
import { type ConsoleContext, type Html, linkTo, type View } from '../view.ts';
import { formOf, hidden } from './action.ts';
import { emptyState } from './notice.ts';
import { type Column, table } from './table.ts';
import { count, counted } from './time.ts';

/** An operation on many rows of a list. */
export interface ManyAction {
  /** Path of its preview. The filter of the list is appended to it. */
  to: string;
  /** The word on its button: `Retry`. */
  label: string;
  tone?: 'danger';
}

/** How many rows a preview shows. */
const SHOWN = 20;

/**
 * Returns a list with selectable rows, and operations on the selected ones or on all that match the filter. Each leads to a preview first
 * ({@link previewMany}).
 * @param matching how many match in total; undefined if nobody counted.
 */
export function manyForm(
  view: View,
  list: Html,
  {
    actions,
    filter,
    matching,
  }: { actions: readonly ManyAction[]; filter: Filter; matching?: { value: number; exact: boolean } | undefined },
): Html {
  if (!view.may('operate') || actions.length === 0) return list;
  const all = matching?.exact ? `all ${count(matching.value)} that match` : 'all that match';
  return html`<form method="post" action="${actions[0]?.to}">${list}
<div class="bulk"><span class="js"><strong data-chosen>0</strong> selected</span>${actions.map(({ to, label, tone }) => html`<button type="submit" formaction="${to}" class="${tone ?? ''}">${label} selected</button>`)}<span class="or">or</span>${actions.map(({ to, label, tone }) => html`<a class="button ${tone ?? ''}" href="${linkTo(to, filter)}">${label} ${all}</a>`)}</div></form>`;
}

type Filter = Record<string, string | number | boolean | undefined>;

export interface Preview<Row> {
  /** `Retry`, as on the button. */
  label: string;
  /** The word for one of them: `task`. */
  noun: string;
  /** Path of its entry in the navigation. */
  place: string;
  /** The effect of the operation. */
  meaning: unknown;
  tone?: 'danger';
  rows: readonly Row[];
  idOf(row: Row): string;
  columns: ReadonlyArray<Column<Row>>;
  /** Why some that were selected, or that match, are left out. */
  leftOut?: string | undefined;
  /** Whether more match than are included. */
  more?: boolean;
  /** More facts, such as counts by reason. */
  facts?: Html | undefined;
  /** The list that people came from. */
  back: string;
  to: string;
}

/**
 * Shows what an operation would change, and asks. The form contains the ids of what is shown, so that later arrivals are not changed.
 * @throws {Refusal} if the caller has no right to it.
 */
export function previewMany<Row>(c: ConsoleContext, preview: Preview<Row>) {
  requireMay(c, 'operate');
  const { label, noun, rows, idOf, columns, more, back, to, tone, leftOut } = preview;
  const number = counted(rows.length, noun);
  const left = leftOut ? html`<p class="hint">${leftOut}</p>` : '';
  if (rows.length === 0) {
    const none = html`${emptyState(`There is no ${noun} to ${label.toLowerCase()}.`, left)}<p class="buttons"><a class="button" href="${back}">Back to the list</a></p>`;
    return page(c, { title: `${label} ${noun}s`, place: preview.place, content: none });
  }
  const shown = rows.slice(0, SHOWN);
  const rest = rows.length > SHOWN ? html`<p class="hint">and ${count(rows.length - SHOWN)} more</p>` : '';
  const content = html`<section class="card"><p>${preview.meaning}</p>
${more ? html`<p>These are the newest ${count(rows.length)}; more match. Repeat it for the rest.</p>` : ''}${left}${preview.facts ?? ''}
<form method="post" action="${to}" class="buttons">${hidden({ sure: 'yes', back, id: rows.map(idOf) })}<button type="submit" class="${tone ?? 'main'}">${label} ${number}</button><a class="button quiet" href="${back}">Leave ${rows.length === 1 ? 'it' : 'them'}</a></form></section>
${table({ caption: `What will be changed`, columns, rows: shown, idOf })}${rest}`;
  return page(c, { title: `${label} ${number}?`, place: preview.place, content });
}

/** How long one request works before it responds with a page that continues. So people see the progress, and can stop it. */
const STEP_MS = 4_000;
const REFUSALS_SHOWN = 3;

/** The fields of three forms: the one around a list, the preview, and a page that continues. */
const sent = z.object({
  id: z.array(z.string()).max(LIMITS.lists.operatedAtOnce),
  sure: z.string().optional(),
  back: z.string().optional(),
  done: z.coerce.number().int().min(0).max(LIMITS.lists.operatedAtOnce).default(0),
  refused: z.coerce.number().int().min(0).max(LIMITS.lists.operatedAtOnce).default(0),
  because: z.array(z.string().max(1_000)).max(REFUSALS_SHOWN),
});
export type SentMany = z.output<typeof sent>;

/** Reads what was sent. @throws {Refusal} if it is not one of these forms. */
export async function readMany(c: ConsoleContext): Promise<SentMany> {
  const form = await formOf(c);
  return valid(sent, { ...Object.fromEntries(form), id: form.getAll('id'), because: form.getAll('because') });
}

/**
 * Operates on the items that were sent, for some seconds. If some are left, the page shows the progress, and continues by itself or,
 * without JavaScript, with a button.
 */
export async function operateSent(
  c: ConsoleContext,
  { id, back, ...before }: SentMany,
  {
    label,
    noun,
    verb,
    to,
    place,
    operate,
  }: Pick<Preview<unknown>, 'label' | 'noun' | 'to' | 'place'> & {
    /** For example `redriven`. */
    verb: string;
    operate(id: string): Promise<unknown>;
  },
) {
  const outcome = await operateMany(id, operate, STEP_MS);
  const done = before.done + outcome.done.length;
  const refused = before.refused + outcome.refused.length;
  const because = [...before.because, ...outcome.refused.map(({ detail }) => detail)]
    .slice(0, REFUSALS_SHOWN)
    .map((detail) => detail.slice(0, 250).toWellFormed());
  c.var.log.info({ done: outcome.done.length, refused: outcome.refused.length }, `${noun}s ${verb}`);
  const list = ownPath(back ?? place);
  const { left } = outcome;
  const soFar = `${counted(done, noun)} ${verb}.`;
  if (left.length === 0) {
    const why =
      because.length > 0
        ? ` ${count(refused)} refused: ${because.join('; ')}${refused > because.length ? '; and so on' : ''}.`
        : '';
    return seeOther(c, list, { tone: refused > 0 ? 'bad' : 'good', text: `${soFar}${why}` });
  }
  const all = done + refused + left.length;
  const content = html`<section class="card narrow"><p>${soFar} ${count(left.length)} to go.</p><progress value="${all - left.length}" max="${all}" aria-label="How many were tried"></progress>
<form method="post" action="${to}" class="buttons" data-goes-on>${hidden({ sure: 'yes', back: list, done, refused, because, id: left })}<button type="submit" class="main">Go on</button><a class="button quiet" href="${list}">Stop here</a></form></section>`;
  return page(c, { title: `${label} ${counted(all, noun)}`, place, content });
}
