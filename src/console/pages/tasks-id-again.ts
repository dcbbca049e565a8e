import { randomUUID } from 'node:crypto';
import { html } from 'hono/html';
import { z } from 'zod';
import { Refusal } from '../../commands/refusal.ts';
import { createTask } from '../../commands/tasks/create-task.ts';
import { existingTask } from '../../commands/tasks/revoke-task.ts';
import type { TaskTypes } from '../../commands/tasks/task-types.ts';
import { taskBody, taskIdParam } from '../../contracts/tasks/task.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { namedArguments } from '../../domain/tasks/task-request.ts';
import { needs, requireMay } from '../access.ts';
import type { ConsoleDependencies } from '../app.ts';
import { seeOther } from '../flash.ts';
import { page } from '../layout.ts';
import { fieldsOf, hidden } from '../parts/action.ts';
import { faultsOf, notice } from '../parts/notice.ts';
import { shortId, taskPath } from '../parts/task-cells.ts';
import { count } from '../parts/time.ts';
import { valid } from '../queries.ts';
import type { Console, ConsoleContext, Html } from '../view.ts';

/** An argument with longer JSON is not put into the form. People keep it or leave it out. */
const MOST_EDITED = 20_000;

const sent = z.object({
  /** Made with the form, so that sending a form twice makes one task. */
  task_id: z.uuid(),
  arguments: z.string(),
  /** Arguments by position. Left out if the task has none, or if they are too large to be edited. */
  args: z.string().optional(),
  queue: taskBody.shape.queue,
  priority: z.preprocess((text) => (text === '' ? undefined : Number(text)), taskBody.shape.priority),
});

/** Adds the form that runs a task again as a new one, with other arguments. */
export function runTaskAgain(console: Console, deps: ConsoleDependencies): void {
  console.get('/tasks/:id/again', async (c) => {
    requireMay(c, 'trigger');
    const task = await existingTask(deps, valid(taskIdParam, c.req.param()).id);
    return formPage(c, deps, task, { task_id: randomUUID() });
  });
  console.post('/tasks/:id/again', needs('trigger'), async (c) => {
    const task = await existingTask(deps, valid(taskIdParam, c.req.param()).id);
    const fields = await fieldsOf(c);
    try {
      const { task_id, queue, priority, ...form } = valid(sent, fields);
      const kept = keptOf(deps, task, fields);
      const args = form.args === undefined ? kept.args : readList(form.args);
      const kwargs = { ...kept.kwargs, ...readObject(form.arguments) };
      const request = { name: task.name, args, kwargs, queue, priority, taskId: task_id };
      const { id } = await createTask(deps, { ...request, caller: c.var.caller, source: 'http' }, c.var.principal);
      c.var.log.info({ task_id: id, again: task.id }, 'task run again');
      return seeOther(c, taskPath(id), { tone: 'good', text: 'This is the new task.', link: taskPath(task.id) });
    } catch (error) {
      if (!(error instanceof Refusal) || error.kind !== 'request') throw error;
      return formPage(c, deps, task, fields, error);
    }
  });
}

/** Returns the large arguments that people chose to keep. */
function keptOf({ taskTypes }: ConsoleDependencies, task: Task, fields: Record<string, string>) {
  const { args, large } = editable(taskTypes, task);
  return {
    args: fields.keep_args === undefined ? [] : args,
    kwargs: Object.fromEntries(large.filter(([name]) => fields[`keep.${name}`] !== undefined)),
  };
}

function readObject(text: string): Record<string, unknown> {
  const value = readJson(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Refusal('malformed_json', { detail: 'The arguments must be an object: {"name": value}.' });
}

function readList(text: string): unknown[] {
  const value = readJson(text);
  if (Array.isArray(value)) return value;
  throw new Refusal('malformed_json', { detail: 'The arguments by position must be a list: [value, value].' });
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refusal('malformed_json', { detail: `The arguments are not JSON: ${(error as Error).message}.` });
  }
}

function editable(taskTypes: TaskTypes, task: Task) {
  const { args, kwargs } = namedArguments(taskTypes.known(task.name), task);
  const entries = Object.entries(kwargs);
  return {
    args,
    large: entries.filter(([, value]) => isLarge(value)),
    small: entries.filter(([, value]) => !isLarge(value)),
  };
}

function isLarge(value: unknown): boolean {
  return JSON.stringify(value).length > MOST_EDITED;
}

async function formPage(
  c: ConsoleContext,
  { taskTypes }: ConsoleDependencies,
  task: Task,
  form: Record<string, string>,
  refusal?: Refusal,
) {
  const { args, large, small } = editable(taskTypes, task);
  const queue = form.queue ?? task.queue;
  const queues = new Set([...(await taskTypes.queues()).keys(), queue]);
  const keep = (field: string, what: Html, value: unknown) => {
    const checked = refusal && form[field] === undefined ? '' : html` checked`;
    return html`<label class="field check"><input type="checkbox" name="${field}" value="yes"${checked}><span>Keep ${what}, ${count(JSON.stringify(value).length)} characters</span></label>`;
  };
  const edit = (field: string, label: string, value: unknown) => {
    const text = form[field] ?? JSON.stringify(value, undefined, 2);
    return html`<label class="field"><span>${label}</span><textarea name="${field}" rows="${Math.min(24, Math.max(6, text.split('\n').length + 1))}" spellcheck="false" required>${text}</textarea></label>`;
  };
  const byPosition =
    args.length === 0
      ? ''
      : isLarge(args)
        ? keep('keep_args', html`the arguments by position`, args)
        : edit('args', 'By position, as a JSON list', args);
  const said = refusal ? notice('bad', 'There is no new task yet.', faultsOf(refusal)) : '';
  const content = html`${said}<section class="card"><p>This makes a new task. <a href="${taskPath(task.id)}">Task ${shortId(task.id)}</a> stays as it is.</p>
<form method="post" action="${taskPath(task.id)}/again" class="stack" data-keep>${hidden({ task_id: form.task_id ?? randomUUID() })}
${byPosition}${edit('arguments', 'Arguments, as JSON', Object.fromEntries(small))}${large.map(([name, value]) => keep(`keep.${name}`, html`<code>${name}</code>`, value))}
<div class="filters"><label class="field"><span>Queue</span><select name="queue">${[...queues].map((name) => html`<option value="${name}"${name === queue ? html` selected` : ''}>${name}</option>`)}</select></label>
<label class="field"><span>Priority, 0 to 9</span><input type="number" name="priority" min="0" max="9" value="${form.priority ?? task.priority ?? ''}" placeholder="5"></label></div>
<div class="buttons"><button type="submit" class="main">Run it</button><a class="button quiet" href="${taskPath(task.id)}">Leave it</a></div></form></section>`;
  return page(c, { title: `Run ${task.name} again`, place: 'tasks', content }, refusal ? 422 : 200);
}
