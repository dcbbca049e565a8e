import { html } from 'hono/html';
import { z } from 'zod';
import { createKey } from '../../commands/keys/create-key.ts';
import type { Gate } from '../../commands/keys/gate.ts';
import { Refusal } from '../../commands/refusal.ts';
import { LIMITS } from '../../contracts/budgets.ts';
import { type KeyView, keyBody } from '../../contracts/keys/key.ts';
import { keyViewOf } from '../../domain/keys/key-view.ts';
import { listKeys } from '../../store/keys/key-list.ts';
import { findLogEnd } from '../../store/record/log-end.ts';
import { needs } from '../access.ts';
import type { ConsoleDependencies } from '../app.ts';
import { page } from '../layout.ts';
import { action, formOf } from '../parts/action.ts';
import { badge } from '../parts/badge.ts';
import { copyable } from '../parts/copyable.ts';
import { keyForm } from '../parts/key-form.ts';
import { emptyState, faultsOf, notice } from '../parts/notice.ts';
import { type Column, table } from '../parts/table.ts';
import { time } from '../parts/time.ts';
import { valid } from '../queries.ts';
import type { Console, ConsoleContext, Html, View } from '../view.ts';

const DAY_MS = 86_400_000;

/** A comma-separated list in a form field. */
const list = z
  .string()
  .max(5_000)
  .default('')
  .transform((text) => text.split(',').flatMap((one) => one.trim() || []));
const count = z
  .string()
  .default('')
  .transform((text) => (text.trim() === '' ? undefined : Number(text)));
const fields = z.object({
  name: z.string().trim().default(''),
  repositories: list,
  queues: list,
  days: count,
  requests_per_minute: count,
  builds_in_flight: count,
  tasks_in_flight: count,
});

/** Adds the page with the keys of programs and people. */
export function keys(console: Console, deps: ConsoleDependencies & { gate: Gate }): void {
  console.get('/keys', async (c) => {
    c.var.principal.require('admin');
    return listPage(c, deps, c.var.view.may('admin') ? keyForm(new URLSearchParams()) : html``);
  });
  console.post('/keys', needs('admin'), async (c) => {
    const form = await formOf(c);
    try {
      const { key, text } = await createKey(deps, bodyOf(form), c.var.caller);
      c.var.log.info({ key_id: key.id, name: key.name, rights: key.rights, by: c.var.caller }, 'key created');
      const shown = html`<p>Copy it now. It is not shown again.</p>${copyable('new-key', text)}`;
      return listPage(c, deps, notice('good', `This is the key ${key.name}.`, shown));
    } catch (error) {
      if (!(error instanceof Refusal) || error.kind !== 'request') throw error;
      return listPage(c, deps, html`${notice('bad', 'No key was made.', faultsOf(error))}${keyForm(form)}`);
    }
  });
}

function bodyOf(form: URLSearchParams) {
  const { repositories, queues, days, ...given } = valid(fields, Object.fromEntries(form));
  return valid(keyBody, {
    ...given,
    rights: form.getAll('right'),
    ...(repositories.length > 0 ? { repositories } : {}),
    ...(queues.length > 0 ? { queues } : {}),
    ...(days === undefined ? {} : { expires_at: new Date(Date.now() + days * DAY_MS).toISOString() }),
  });
}

async function listPage(c: ConsoleContext, { db }: ConsoleDependencies, above: Html) {
  const { view } = c.var;
  const since = await findLogEnd(db);
  const rows = (await listKeys(db, '', LIMITS.keys.count)).map((key) => keyViewOf(key, view.now));
  const none = emptyState(
    'No key was created.',
    view.signedIn
      ? 'Those of API_KEYS are not in this list.'
      : 'Only this machine gets in. As soon as there is a key, everybody needs one; the first must have the right admin.',
  );
  const shown =
    rows.length === 0 ? none : table({ caption: 'API keys', columns: columns(view), rows, idOf: ({ id }) => id });
  // After a POST, nothing must be refreshed: the page shows the new key.
  const live = c.req.method === 'GET' ? { live: { topics: ['key'], since } } : {};
  return page(c, { title: 'API keys', place: 'keys', content: html`${above}${shown}`, ...live });
}

function columns(view: View): Array<Column<KeyView>> {
  return [
    {
      title: 'Name',
      kind: 'tight',
      cell: ({ id, name }) => html`<strong>${name}</strong><br><code class="hint">${id}</code>`,
    },
    {
      title: 'Status',
      kind: 'tight',
      cell: ({ status }) => (status === 'active' ? badge('ok', 'Active') : badge('cancelled', 'Expired')),
    },
    { title: 'Rights', kind: 'tight', cell: ({ rights }) => rights.join(', ') },
    { title: 'Reaches', cell: reachOf },
    { title: 'Limits', cell: limitsOf },
    { title: 'Last used', kind: 'tight', cell: ({ last_used_at }) => time(view, last_used_at) },
    {
      title: 'Expires',
      kind: 'tight',
      cell: ({ expires_at }) => (expires_at === null ? 'never' : time(view, expires_at)),
    },
    {
      title: 'Control',
      kind: 'tight',
      cell: ({ id, name }) =>
        action(view, {
          right: 'admin',
          to: `keys/${id}/revoke`,
          label: 'Revoke',
          tone: 'danger',
          confirm: revokeQuestion(name),
        }),
    },
  ];
}

/** Returns the question before a key is revoked. */
export function revokeQuestion(name: string): string {
  return `Revoke this key of ${name}? Whoever uses it is refused within two seconds.`;
}

function reachOf({ repositories, queues }: KeyView): Html {
  const reached = [...(repositories ?? []), ...(queues ?? []).map((queue) => `queue ${queue}`)];
  return reached.length === 0 ? html`<span class="hint">everything</span>` : html`${reached.join(', ')}`;
}

function limitsOf({ requests_per_minute, builds_in_flight, tasks_in_flight }: KeyView): Html {
  const limits = [
    requests_per_minute !== null && `${requests_per_minute} requests a minute`,
    builds_in_flight !== null && `${builds_in_flight} builds`,
    tasks_in_flight !== null && `${tasks_in_flight} tasks`,
  ].filter((limit) => limit !== false);
  return limits.length === 0 ? html`<span class="hint">none</span>` : html`${limits.join(', ')}`;
}
