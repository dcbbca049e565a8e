import { isUtf8 } from 'node:buffer';
import { html } from 'hono/html';
import { findDeadLetter } from '../../commands/lifecycle/redrive.ts';
import { deadLetterIdParam } from '../../contracts/builds/operator.ts';
import type { DeadMessage } from '../../contracts/celery/dead-message.ts';
import type { ConsoleDependencies } from '../app.ts';
import { seeOther } from '../flash.ts';
import { page } from '../layout.ts';
import { hidden } from '../parts/action.ts';
import { badge } from '../parts/badge.ts';
import { factsCard } from '../parts/facts.ts';
import { foldedJson } from '../parts/folded-json.ts';
import { notice } from '../parts/notice.ts';
import { taskLink, taskPath } from '../parts/task-cells.ts';
import { count, time } from '../parts/time.ts';
import { valid } from '../queries.ts';
import type { Console, Html, View } from '../view.ts';
import { DEAD_LETTER_OPERATIONS } from './many-dead-letters.ts';

/** How much of a message's body is shown, in characters. */
const SHOWN = 4_000;

/** Adds the page of a refused message. Builds and tasks have their own pages. */
export function deadLetter(console: Console, deps: ConsoleDependencies): void {
  console.get('/dead-letters/:id', async (c) => {
    const { id } = valid(deadLetterIdParam, c.req.param());
    const { letter } = await findDeadLetter(deps, id);
    if (letter.kind === 'build') return seeOther(c, `builds/${letter.build.id}`);
    if (letter.kind === 'task') return seeOther(c, taskPath(letter.task.id));
    const { view } = c.var;
    return page(c, {
      title: `Refused message${letter.message.task ? ` for ${letter.message.task}` : ''}`,
      place: 'dead-letters',
      actions: html`${badge('failure', 'Refused')}${actions(view, id)}`,
      content: html`${notice('bad', letter.message.detail, html`Reason code: <code>${letter.message.reason}</code>`)}${story(view, letter.message)}`,
    });
  });
}

/** Returns the same buttons as for many dead letters, for this one. */
function actions(view: View, id: string): Html {
  if (!view.may('operate')) return html``;
  return html`${DEAD_LETTER_OPERATIONS.map(({ to, label, tone }) => html`<form method="post" action="${to}" class="action">${hidden({ id, back: 'dead-letters' })}<button type="submit" class="${tone ?? 'main'}">${label}</button></form>`)}`;
}

function story(view: View, message: DeadMessage): Html {
  const { queue, task_id, refusals, first_refused_at, created_at, publication } = message;
  const bytes = Buffer.from(message.body, 'base64');
  const text = isUtf8(bytes) ? bytes.toString() : undefined;
  const body =
    text === undefined
      ? html`<p class="hint">${count(bytes.length)} bytes that are no text.</p>`
      : html`<pre tabindex="0"><code>${text.slice(0, SHOWN).toWellFormed()}${text.length > SHOWN ? '…' : ''}</code></pre>${text.length > SHOWN ? html`<p class="hint">The first ${count(SHOWN)} of ${count(text.length)} characters.</p>` : ''}`;
  const about = factsCard([
    ['Queue', queue],
    task_id !== null && ['Task', taskLink(task_id, task_id)],
    ['Refused', refusals === 1 ? 'once' : `${count(refusals)} times`],
    ['First', time(view, first_refused_at)],
    ['Last', time(view, created_at)],
  ]);
  return html`<div class="split"><div class="aside"><section class="card"><h2>Body</h2>${body}</section><section class="card"><h2>Properties and headers</h2>${foldedJson(JSON.parse(publication))}</section></div>
${about}</div>`;
}
