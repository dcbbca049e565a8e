import { html } from 'hono/html';
import { notFound } from '../../commands/refusal.ts';
import { RETRYABLE_TASK_STATUSES } from '../../commands/tasks/retry-task.ts';
import { existingTask } from '../../commands/tasks/revoke-task.ts';
import { whyWaiting } from '../../commands/tasks/why-waiting.ts';
import { taskIdParam } from '../../contracts/tasks/task.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { phasesOfTask } from '../../domain/tasks/task-phases.ts';
import type { Db } from '../../store/database.ts';
import { findLogEnd } from '../../store/record/log-end.ts';
import { findStream } from '../../store/record/stream-find.ts';
import { listChildTasks, listTasksById } from '../../store/tasks/task-list-by-id.ts';
import { TASKS, taskStream } from '../../store/tasks/task-stream.ts';
import type { ConsoleDependencies } from '../app.ts';
import { page } from '../layout.ts';
import { action } from '../parts/action.ts';
import { statusBadge } from '../parts/badge.ts';
import { erasedNotice, notice } from '../parts/notice.ts';
import { phaseBar } from '../parts/phase-bar.ts';
import { taskPath } from '../parts/task-cells.ts';
import { taskEvent } from '../parts/task-event.ts';
import { argumentsCard, familyCard, outcomeCard, taskFacts } from '../parts/task-facts.ts';
import { counted } from '../parts/time.ts';
import { valid } from '../queries.ts';
import type { Console, Html, View } from '../view.ts';

/** How many children a page lists. */
const MOST_CHILDREN = 50;

/** Adds the page of one task: its arguments, its outcome, what happened to it and what people can do about it. */
export function task(console: Console, deps: ConsoleDependencies): void {
  const { db, temporalUi, taskTypes } = deps;
  console.get('/tasks/:id', async (c) => {
    const { id } = valid(taskIdParam, c.req.param());
    const { view } = c.var;
    const since = await findLogEnd(db);
    const [found, family] = await Promise.all([findStream(db, TASKS, id), familyOf(db, id)]);
    if (!found) throw notFound(`task ${id}`);
    const { state, events } = found;
    const parents = await listTasksById(
      db,
      [state.root_id, state.parent_id].filter((of) => of !== null),
    );
    const waitingFor = await whyWaiting(deps, state);
    const content = html`${waitingFor === null ? '' : notice('warn', 'It waits.', waitingFor)}${state.erased_at === null ? outcomeCard(state) : erasedNotice(view, 'Its arguments, its result and its errors', state.erased_at)}
<div class="split">
<div class="aside">${state.erased_at === null ? argumentsCard(state, taskTypes.known(state.name)) : ''}
<section class="card" aria-labelledby="timeline-title"><header><h2 id="timeline-title">Timeline</h2><span class="hint">${counted(events.length, 'event')}</span></header>
${phaseBar(phasesOfTask(events, view.now))}
<ol class="timeline">${events.map((event, index) => taskEvent(view, event, events[index - 1])).toReversed()}</ol></section></div>
<div class="aside">${taskFacts(view, state, temporalUi)}${familyCard(state, { parents, ...family })}</div>
</div>`;
    return page(c, {
      title: state.name,
      place: 'tasks',
      actions: html`${statusBadge(state)}${taskActions(view, state)}`,
      content,
      live: { topics: [taskStream(id)], since },
    });
  });

  // Serves a whole value of any size. A page may show only part of it.
  console.get('/tasks/:id/raw/:place/:name?', async (c) => {
    const { id, place, name } = c.req.param();
    const { args, kwargs, result } = await existingTask({ db }, id);
    const values: Record<string, unknown> = { args, kwargs, result };
    const whole = Object.hasOwn(values, place) ? values[place] : undefined;
    const value = name === undefined ? whole : Object.entries(whole ?? {}).find(([key]) => key === name)?.[1];
    if (value === undefined) throw notFound(`${place} of task ${id}`);
    return c.json(value);
  });
}

async function familyOf(db: Db, id: string) {
  const found = await listChildTasks(db, id, MOST_CHILDREN + 1);
  return { children: found.slice(0, MOST_CHILDREN), more: found.length > MOST_CHILDREN };
}

export const REVOKE_QUESTION = 'Revoke this task? If it runs, it is asked to stop, and its result is dropped.';

/** Returns the operations that the task's state allows. */
function taskActions(view: View, { id, status, completed_at, erased_at }: Task): Html {
  if (erased_at !== null) return html``;
  const again = view.may('trigger') ? html`<a class="button" href="${taskPath(id)}/again">Run again…</a>` : html``;
  if (completed_at === null) {
    return html`${again}${action(view, { to: `${taskPath(id)}/revoke`, label: 'Revoke', tone: 'danger', key: 'c', confirm: REVOKE_QUESTION })}`;
  }
  if (!RETRYABLE_TASK_STATUSES.includes(status)) return again;
  return html`${action(view, { to: `${taskPath(id)}/retry`, label: 'Retry', icon: 'retry', tone: 'main', key: 'r' })}${again}`;
}
