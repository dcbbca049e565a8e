import { html } from 'hono/html';
import { Refusal } from '../commands/refusal.ts';
import { PROBLEMS, type ProblemCode } from '../contracts/problem.ts';
import { databaseFault } from '../store/database.ts';
import { page } from './layout.ts';
import { faultsOf, notice } from './parts/notice.ts';
import type { ConsoleContext } from './view.ts';

/** Advice for people about problems that do not say what to do. */
const REMEDIES: Partial<Record<ProblemCode, string>> = {
  database_unavailable: 'Nothing was changed. Check that Postgres runs, and try again.',
  temporal_unavailable: 'Nothing was started. Check that Temporal runs, and try again.',
  state_conflict: 'Something happened to it since the page was made. Go back, and look at how it is now.',
  precondition_failed:
    'Somebody changed it since the page was made. Go back, load the page again, and repeat your change.',
  cross_site: 'Nothing was changed. Use the buttons of this console, or the HTTP API.',
  read_only: 'Nothing was changed. Whoever runs Hapax has set CONSOLE_READ_ONLY or FLOWER_READ_ONLY.',
  not_found: 'It may have another address now. Look for it in the lists on the left.',
  internal: 'It is not your fault. The log of the API says more, under the request id below.',
};

/** Returns a thrown error as a refusal from the table of problems. */
export function asRefusal(thrown: unknown): Refusal {
  if (thrown instanceof Refusal) return thrown;
  const fault = databaseFault(thrown)?.kind;
  if (fault === 'away') return new Refusal('database_unavailable', { cause: thrown });
  if (fault === 'values') return new Refusal('invalid_request', { cause: thrown });
  return new Refusal('internal', { cause: thrown });
}

/** Responds with a page that says what happened and what to do. */
export function problemPage(c: ConsoleContext, refusal: Refusal) {
  const { code, detail, errors } = refusal;
  const { status, title } = PROBLEMS[code];
  const remedy = REMEDIES[code];
  const said = errors && errors.length > 1 ? faultsOf(refusal) : (detail ?? '');
  const body = html`${said}${remedy ? html`<p>${remedy}</p>` : ''}`;
  return page(
    c,
    {
      title,
      content: html`${notice('bad', `${title}.`, body)}<p class="buttons"><a class="button" href="${c.var.view.base}">To the overview</a></p><p class="hint">Status ${status} · ${code} · request <code>${c.var.requestId}</code></p>`,
    },
    status as 500,
  );
}
