import { randomUUID } from 'node:crypto';
import { html } from 'hono/html';
import { z } from 'zod';
import { Refusal } from '../../commands/refusal.ts';
import { createSubscription } from '../../commands/subscriptions/create-subscription.ts';
import { LIMITS } from '../../contracts/budgets.ts';
import { newSubscriptionBody } from '../../contracts/subscriptions/subscription.ts';
import { MESSAGE_FORMATS, OUTCOMES } from '../../contracts/subscriptions/subscription-event.ts';
import { findLogEnd } from '../../store/record/log-end.ts';
import type { FollowedSubscription } from '../../store/subscriptions/subscription-find.ts';
import { listSubscriptions } from '../../store/subscriptions/subscription-list.ts';
import { needs } from '../access.ts';
import type { ConsoleDependencies } from '../app.ts';
import { page } from '../layout.ts';
import { action, fieldsOf, hidden } from '../parts/action.ts';
import { badge } from '../parts/badge.ts';
import { copyable } from '../parts/copyable.ts';
import { emptyState, faultsOf, notice } from '../parts/notice.ts';
import { type Column, table } from '../parts/table.ts';
import { count, time } from '../parts/time.ts';
import { valid } from '../queries.ts';
import type { Console, ConsoleContext, Html, View } from '../view.ts';

/** The usual choices of events. */
const TOLD = {
  failures: ['Failures', { outcomes: ['failure' as const] }],
  ends: ['Every end', { outcomes: [...OUTCOMES] }],
  all: ['Every event', {}],
} as const;

const fields = z.object({
  /** Made with the form, so that sending a form twice makes one subscription. */
  key: z.uuid().optional(),
  url: z.string().trim(),
  name: z.string().trim().default(''),
  told: z.enum(['failures', 'ends', 'all']).default('failures'),
  format: z.enum(MESSAGE_FORMATS).default('standard'),
});
type Fields = z.input<typeof fields>;

const FORMATS = { standard: 'Standard Webhooks', cloudevents: 'CloudEvents', cdevents: 'CDEvents' } as const;

/** Adds the page of subscriptions: who receives events, and how far each has got. */
export function subscriptions(console: Console, deps: ConsoleDependencies): void {
  console.get('/subscriptions', (c) => listPage(c, deps, c.var.view.may('configure') ? newForm() : html``));
  console.post('/subscriptions', needs('configure'), async (c) => {
    const form = await fieldsOf(c);
    try {
      const { key, url, name, told, format } = valid(fields, form);
      const filter = TOLD[told][1];
      const body = valid(newSubscriptionBody, { url, format, filter, ...(name === '' ? {} : { name }) });
      const { subscription, secret = '' } = await createSubscription(deps, { body, caller: c.var.caller, key });
      c.var.log.info({ subscription: subscription.id, origin: subscription.url_origin }, 'subscription made');
      const shown = html`<p>The receiver verifies each request with this secret. Copy it now; it is not shown again.</p>${copyable('new-secret', secret)}`;
      return listPage(c, deps, notice('good', `${subscription.name} is told from now on.`, shown));
    } catch (error) {
      if (!(error instanceof Refusal) || error.kind !== 'request') throw error;
      const said = notice('bad', 'Nobody is told.', faultsOf(error));
      return listPage(c, deps, html`${said}${newForm(form as Partial<Fields>)}`);
    }
  });
}

async function listPage(c: ConsoleContext, { db }: ConsoleDependencies, above: Html) {
  const since = await findLogEnd(db);
  const rows = await listSubscriptions(db, '', LIMITS.subscriptions.count);
  const shown =
    rows.length === 0
      ? emptyState(
          'Nobody is told.',
          'A subscription sends events of builds and tasks to a URL, signed, until they arrive.',
        )
      : table({ caption: 'Subscriptions', columns: columns(c.var.view), rows, idOf: ({ id }) => id });
  const live = c.req.method === 'GET' ? { live: { topics: ['subscription', 'tick'], since } } : {};
  return page(c, { title: 'Subscriptions', place: 'subscriptions', content: html`${above}${shown}`, ...live });
}

function newForm({ url = '', name = '', told = 'failures', format = 'standard' }: Partial<Fields> = {}): Html {
  const option = (value: string, label: string, now: string) =>
    html`<option value="${value}"${value === now ? html` selected` : ''}>${label}</option>`;
  return html`<form method="post" action="subscriptions" class="filters" data-keep>${hidden({ key: randomUUID() })}<label class="field grow"><span>URL of the receiver</span><input name="url" value="${url}" required placeholder="https://" autocomplete="off" spellcheck="false"></label><label class="field"><span>Name</span><input name="name" value="${name}" maxlength="${LIMITS.subscriptions.nameCharacters}" autocomplete="off"></label><label class="field"><span>Tell of</span><select name="told">${Object.entries(TOLD).map(([value, [label]]) => option(value, label, told))}</select></label><label class="field"><span>Format</span><select name="format">${MESSAGE_FORMATS.map((value) => option(value, FORMATS[value], format))}</select></label><button type="submit" class="main">Subscribe</button></form>`;
}

function columns(view: View): Array<Column<FollowedSubscription>> {
  return [
    {
      title: 'Name',
      kind: 'tight',
      cell: ({ name, url_origin }) => html`<strong>${name}</strong><br><span class="hint">${url_origin}</span>`,
    },
    { title: 'Status', kind: 'tight', cell: statusOf },
    { title: 'Told of', cell: ({ filter }) => filterWords(filter as Record<string, string[]>) },
    { title: 'Delivered', kind: 'number', cell: ({ delivered }) => count(delivered) },
    { title: 'Retried', kind: 'number', cell: ({ pending }) => count(pending.length) },
    { title: 'Given up', kind: 'number', cell: ({ given_up }) => count(given_up) },
    { title: 'Last', kind: 'tight', cell: ({ delivered_at }) => time(view, delivered_at) },
    { title: 'Control', kind: 'tight', cell: (one) => controls(view, one) },
  ];
}

function statusOf({ status, reason, failing_since, last_failure }: FollowedSubscription): Html {
  if (status !== 'active') return html`${badge('paused', 'Disabled')}<br><span class="hint">${reason ?? ''}</span>`;
  if (failing_since === null) return badge('ok', 'Active');
  return html`${badge('degraded', 'Failing')}<br><span class="hint">${(last_failure ?? '').slice(0, 120).toWellFormed()}</span>`;
}

function filterWords(filter: Record<string, string[]>): string {
  const words = Object.entries(filter).map(([name, of]) => `${name} ${of.slice(0, 5).join(', ')}`);
  return words.length === 0 ? 'every event' : words.join('; ');
}

/** Returns the question before a subscription is disabled. */
export function disableQuestion(name: string): string {
  return `Send nothing more to ${name}? What happens meanwhile is sent when it is enabled again.`;
}

function controls(view: View, { id, name, status }: FollowedSubscription): Html {
  const to = (verb: string) => `subscriptions/${id}/${verb}`;
  const turn =
    status === 'active'
      ? action(view, { to: to('disable'), label: 'Disable', confirm: disableQuestion(name) })
      : action(view, { to: to('enable'), label: 'Enable' });
  return html`<div class="buttons">${turn}${action(view, { to: to('test'), label: 'Test' })}</div>`;
}
