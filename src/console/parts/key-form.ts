import { html } from 'hono/html';
import { LIMITS } from '../../contracts/budgets.ts';
import { RIGHTS, type Right } from '../../contracts/keys/key-event.ts';
import type { Html } from '../view.ts';

/** What each right allows, in a few words. */
const ALLOWS: Readonly<Record<Right, string>> = {
  read: 'see everything',
  trigger: 'builds and tasks',
  operate: 'cancel, retry, pause',
  configure: 'configurations, schedules',
  admin: 'all of these, and keys',
};

const LIVES = [
  ['', 'Never'],
  ['30', 'In 30 days'],
  ['90', 'In 90 days'],
  ['365', 'In a year'],
] as const;

/** Returns the form that creates a key. @param form what was filled in before. */
export function keyForm(form: URLSearchParams): Html {
  const chosen = form.getAll('right');
  const text = (name: string, label: string, hint = '') =>
    html`<label class="field"><span>${label}</span><input name="${name}" value="${form.get(name) ?? ''}" placeholder="${hint}" autocomplete="off" spellcheck="false" maxlength="5000"></label>`;
  const number = (name: string, label: string) =>
    html`<label class="field"><span>${label}</span><input type="number" name="${name}" value="${form.get(name) ?? ''}" min="1" placeholder="no limit"></label>`;
  return html`<section class="card" aria-labelledby="new-title"><h2 id="new-title">New key</h2><form method="post" action="keys" class="stack" data-keep>
<div class="filters"><label class="field grow"><span>Who uses it</span><input name="name" value="${form.get('name') ?? ''}" required maxlength="${LIMITS.keys.nameCharacters}" placeholder="nightly" autocomplete="off" spellcheck="false"></label>
<label class="field"><span>Expires</span><select name="days">${LIVES.map(([value, label]) => html`<option value="${value}"${form.get('days') === value ? html` selected` : ''}>${label}</option>`)}</select></label></div>
<fieldset class="choices"><legend>Rights</legend>${RIGHTS.map((right) => html`<label class="field check"><input type="checkbox" name="right" value="${right}"${chosen.includes(right) ? html` checked` : ''}><span>${right} <span class="hint">${ALLOWS[right]}</span></span></label>`)}</fieldset>
<details class="more"><summary>Restrictions and limits</summary><div class="pairs">${text('repositories', 'Only these repositories, with commas between', 'octo/*')}${text('queues', 'Only these queues, with commas between')}${number('requests_per_minute', 'Requests a minute')}${number('builds_in_flight', 'Builds in flight')}${number('tasks_in_flight', 'Tasks in flight')}</div></details>
<button type="submit" class="main">Create</button></form></section>`;
}
