import { html } from 'hono/html';
import type { TaskType } from '../../contracts/tasks/task-type.ts';
import { type TemporalUi, workflowPage } from '../../domain/links.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { argumentNames } from '../../domain/tasks/task-request.ts';
import type { ListedTask } from '../../domain/tasks/task-view.ts';
import { type Html, linkTo, type View } from '../view.ts';
import { statusBadge } from './badge.ts';
import { facts, factsCard } from './facts.ts';
import { foldedJson } from './folded-json.ts';
import { notice } from './notice.ts';
import { outsideLink } from './outside-link.ts';
import { shortId, taskLink, taskPath } from './task-cells.ts';
import { between, counted, duration, time } from './time.ts';

/** Returns the facts about a task, with links. */
export function taskFacts(view: View, task: Task, temporalUi: TemporalUi): Html {
  const { id, workflow_id, soft_limit_ms, hard_limit_ms } = task;
  const page = workflowPage(temporalUi, workflow_id);
  const workflow = page === null ? html`<code>${workflow_id}</code>` : outsideLink(page, 'Workflow in Temporal');
  return factsCard([
    ['Id', html`<code>${id}</code>`],
    ['Name', html`<a href="${linkTo('tasks', { name: task.name })}">${task.name}</a>`],
    ['Queue', html`<a href="${linkTo('tasks', { queue: task.queue })}">${task.queue}</a>`],
    ['Temporal', workflow],
    ['Requested by', task.caller],
    task.priority !== null && ['Priority', `${task.priority} of 9`],
    task.eta !== null && ['Not before', time(view, task.eta)],
    task.expires !== null && ['Expires', time(view, task.expires)],
    (soft_limit_ms ?? hard_limit_ms) !== null && [
      'Time limits',
      `${soft_limit_ms === null ? '–' : duration(soft_limit_ms)} soft, ${hard_limit_ms === null ? '–' : duration(hard_limit_ms)} hard`,
    ],
    task.callback_origin !== null && ['Callback to', task.callback_origin],
    task.worker !== null && ['Last worker', html`<code>${task.worker}</code>`],
    ['Tries', `${task.attempts}${task.redrives > 0 ? `, with ${counted(task.redrives, 'redrive')}` : ''}`],
    ['Accepted', time(view, task.created_at)],
    ['Last try', time(view, task.started_at)],
    ['Ended', time(view, task.completed_at)],
    task.started_at !== null && ['It ran', between(view, task.started_at, task.completed_at)],
  ]);
}

/** Returns the arguments by name, whether they were positional or named. */
export function argumentsCard({ id, args, kwargs }: Task, type: TaskType | undefined): Html {
  const names = argumentNames(type);
  const raw = (place: string) => `${taskPath(id)}/raw/${place}`;
  const given = [
    ...args.map((value, index) => [names[index] ?? `argument ${index + 1}`, value, `args/${index}`] as const),
    ...Object.entries(kwargs).map(([key, value]) => [key, value, `kwargs/${encodeURIComponent(key)}`] as const),
  ];
  const listed =
    given.length === 0
      ? html`<p class="hint">None.</p>`
      : facts(given.map(([key, value, place]) => [key, foldedJson(value, raw(place))]));
  return html`<section class="card" aria-labelledby="arguments-title"><header><h2 id="arguments-title">Arguments</h2><span class="hint">as JSON: <a href="${raw('args')}">args</a>, <a href="${raw('kwargs')}">kwargs</a></span></header>${listed}</section>`;
}

/** Returns the outcome of a task: its result, or why there is none. */
export function outcomeCard({ id, status, result, error, reason, dead_lettered }: Task): Html {
  if (status === 'SUCCESS') {
    return html`<section class="card" aria-labelledby="result-title"><header><h2 id="result-title">Result</h2><a class="hint" href="${taskPath(id)}/raw/result">as JSON</a></header>${foldedJson(result, `${taskPath(id)}/raw/result`)}</section>`;
  }
  if (!error) return html``;
  const title = html`${error.type}${dead_lettered ? html` <a class="hint" href="dead-letters">It is a dead letter</a>` : ''}`;
  const traceback = error.traceback
    ? html`<details><summary>Traceback</summary><pre tabindex="0"><code>${error.traceback}</code></pre></details>`
    : '';
  const why = reason && !reason.endsWith(error.message) ? html`<p class="hint">${reason}</p>` : '';
  const message = html`<div class="message">${error.message}</div>${why}${traceback}`;
  return notice(status === 'FAILURE' ? 'bad' : 'warn', title, message);
}

/** Returns the tasks that belong together with this one; nothing for a task on its own. */
export function familyCard(
  { id, root_id, parent_id }: Task,
  { parents, children, more }: { parents: readonly ListedTask[]; children: readonly ListedTask[]; more: boolean },
): Html {
  if (root_id === null && parent_id === null && children.length === 0) return html``;
  const told = (of: string) => {
    const found = parents.find((one) => one.id === of);
    return found ? member(found) : html`<code title="${of}">${shortId(of)}</code> <span class="hint">not here</span>`;
  };
  const rows = [
    root_id !== null && root_id !== id && root_id !== parent_id && (['First', told(root_id)] as const),
    parent_id !== null && (['Before it', told(parent_id)] as const),
    children.length > 0 &&
      ([
        'After it',
        html`<ul class="members">${children.map((child) => html`<li>${member(child)}</li>`)}</ul>${more ? html`<p class="hint">and more</p>` : ''}`,
      ] as const),
  ].filter((row) => row !== false);
  if (rows.length === 0) return html``;
  return html`<section class="card" aria-labelledby="family-title"><h2 id="family-title">Belongs together</h2>${facts(rows)}</section>`;
}

function member(task: ListedTask): Html {
  return html`<span class="member">${taskLink(task.id, task.name)} <span class="hint">${shortId(task.id)}</span> ${statusBadge(task)}</span>`;
}
