import { html } from 'hono/html';
import { z } from 'zod';
import { operateMany } from '../../commands/lifecycle/operate-many.ts';
import { LIMITS } from '../../contracts/budgets.ts';
import { needs } from '../access.ts';
import { ownPath, seeOther } from '../flash.ts';
import { page } from '../layout.ts';
import { queryOf, valid } from '../queries.ts';
import { type Console, type ConsoleContext, type Html, linkTo, type View } from '../view.ts';
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
 * ({@link operateOnMany}).
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
  return html`<form method="post" action="${actions[0]?.to}">${hidden({ back: view.here })}${list}
<div class="bulk"><span class="js"><strong data-chosen>0</strong> selected</span>${actions.map(({ to, label, tone }) => html`<button type="submit" formaction="${to}" class="${tone ?? ''}">${label} selected</button>`)}<span class="or">or</span>${actions.map(({ to, label, tone }) => html`<a class="button ${tone ?? ''}" href="${linkTo(to, filter)}">${label} ${all}</a>`)}</div></form>`;
}

type Filter = Record<string, string | number | boolean | undefined>;

/** How an operation changes many of something. */
export interface Many<Row, Query extends Filter> extends ManyAction {
  /** The word for one of them: `task`. */
  noun: string;
  /** What happened to those that it changed: `redriven`. */
  done: string;
  /** Path of the list, which has an entry in the navigation. */
  place: string;
  /** Parses the filter of the list. */
  filter: z.ZodType<Query>;
  /** Finds those among all that match which it can change. */
  match(filter: Query): Promise<Chosen<Row>>;
  /** Finds those among these which it can change. */
  select(ids: readonly string[]): Promise<Chosen<Row>>;
  operate(id: string, by: string): Promise<unknown>;
  /** Says what it does to these. */
  meaning(rows: readonly Row[]): unknown;
  /** Says why some are left out. */
  leftOut(without: number): string;
  /** More facts, such as counts by reason. */
  facts?(rows: readonly Row[]): Html;
  idOf(row: Row): string;
  columns(view: View): ReadonlyArray<Column<Row>>;
}

/**
 * Chooses rows by whether an operation fits their status. Those that were selected and do not fit are left out.
 * @param find finds the fitting ones among these.
 */
export function fittingRows<Row, Query extends Filter, Id>(
  find: (which: { filter: Query } | { ids: Id[] }) => Promise<{ items: readonly Row[]; more: boolean }>,
  idOf: (id: string) => Id,
): Pick<Many<Row, Query>, 'match' | 'select'> {
  return {
    async match(filter) {
      const { items: rows, more } = await find({ filter });
      return { rows, more };
    },
    async select(ids) {
      const { items: rows } = await find({ ids: ids.map(idOf) });
      return { rows, without: ids.length - rows.length };
    },
  };
}

interface Chosen<Row> {
  rows: readonly Row[];
  /** Whether more match. */
  more?: boolean;
  /** How many of them are left out. */
  without?: number;
}

/** Adds the pages of an operation: a preview of those that were selected, or of all that match, and the one that does it. */
export function operateOnMany<Row, Query extends Filter>(console: Console, many: Many<Row, Query>): void {
  const { to, place } = many;
  console.get(`/${to}`, needs('operate'), async (c) => {
    const filter = valid(many.filter, queryOf(c));
    return preview(c, many, await many.match(filter), linkTo(place, filter));
  });
  console.post(`/${to}`, needs('operate'), async (c) => {
    const form = await formOf(c);
    const given = valid(sent, { ...Object.fromEntries(form), id: form.getAll('id'), because: form.getAll('because') });
    if (given.sure) return operateSent(c, many, given);
    return preview(c, many, await many.select(given.id), ownPath(given.back ?? place));
  });
}

/** Shows what would change, and asks. The form contains the ids of what is shown, so that later arrivals are not changed. */
function preview<Row, Query extends Filter>(
  c: ConsoleContext,
  { label, noun, to, tone, place, ...many }: Many<Row, Query>,
  { rows, more, without = 0 }: Chosen<Row>,
  back: string,
) {
  const number = counted(rows.length, noun);
  const left = without > 0 ? html`<p class="hint">${many.leftOut(without)}</p>` : '';
  if (rows.length === 0) {
    const none = html`${emptyState(`There is no ${noun} to ${label.toLowerCase()}.`, left)}<p class="buttons"><a class="button" href="${back}">Back to the list</a></p>`;
    return page(c, { title: `${label} ${noun}s`, place, content: none });
  }
  const shown = rows.slice(0, SHOWN);
  const rest = rows.length > SHOWN ? html`<p class="hint">and ${count(rows.length - SHOWN)} more</p>` : '';
  const content = html`<section class="card"><p>${many.meaning(rows)}</p>
${more ? html`<p>These are the newest ${count(rows.length)}; more match. Repeat it for the rest.</p>` : ''}${left}${many.facts?.(rows) ?? ''}
<form method="post" action="${to}" class="buttons">${hidden({ sure: 'yes', back, id: rows.map(many.idOf) })}<button type="submit" class="${tone ?? 'main'}">${label} ${number}</button><a class="button quiet" href="${back}">Leave ${rows.length === 1 ? 'it' : 'them'}</a></form></section>
${table({ caption: `What will be changed`, columns: many.columns(c.var.view), rows: shown, idOf: many.idOf })}${rest}`;
  return page(c, { title: `${label} ${number}?`, place, content });
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

/**
 * Operates on the items that were sent, for some seconds. If some are left, the page shows the progress, and continues by itself or,
 * without JavaScript, with a button.
 */
async function operateSent<Row, Query extends Filter>(
  c: ConsoleContext,
  { label, noun, done: verb, to, place, operate }: Many<Row, Query>,
  { id, back, ...before }: z.output<typeof sent>,
) {
  const outcome = await operateMany(id, (one) => operate(one, c.var.caller), STEP_MS);
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
