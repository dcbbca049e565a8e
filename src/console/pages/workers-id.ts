import { html } from 'hono/html';
import { notFound } from '../../commands/refusal.ts';
import { listPresentWorkers } from '../../commands/workers/list-workers.ts';
import { orderWorker } from '../../commands/workers/order-worker.ts';
import type { WorkerReport } from '../../contracts/tasks/worker-control.ts';
import { findLogEnd } from '../../store/record/log-end.ts';
import { listRunningTasks } from '../../store/tasks/task-list-running.ts';
import type { ConsoleDependencies } from '../app.ts';
import { page } from '../layout.ts';
import { action } from '../parts/action.ts';
import { badge } from '../parts/badge.ts';
import { type Fact, facts, factsCard } from '../parts/facts.ts';
import { notice } from '../parts/notice.ts';
import { duration, time } from '../parts/time.ts';
import type { Console, Html, View } from '../view.ts';
import { runningTask, workerPath } from './queues.ts';

const MOST_RUNNING = 500;

/** Adds the page of one worker process: what it does now, and the controls for it. */
export function worker(console: Console, { db, client, taskTypes }: ConsoleDependencies): void {
  console.get('/workers/:identity', async (c) => {
    const { identity } = c.req.param();
    const { view } = c.var;
    const since = await findLogEnd(db);
    const present = (await listPresentWorkers(client, taskTypes)).find((one) => one.identity === identity);
    if (!present) throw notFound(`worker ${identity}: it is gone`);
    const [outcome, tasks, types, known] = await Promise.all([
      orderWorker(client, identity, 'inspect', []),
      listRunningTasks(db, MOST_RUNNING),
      taskTypes.list(),
      taskTypes.queues(),
    ]);
    const names = types.map(({ name }) => name);
    const report = outcome.kind === 'replied' ? outcome.reply : undefined;
    const own = tasks.filter((task) => task.worker === identity);
    const about: Fact[] = [
      ['Asks for', present.queues.length === 0 ? 'nothing, it is busy' : present.queues.join(', ')],
      ['Seen', time(view, present.lastSeenAt.toISOString())],
      report !== undefined && ['Process', String(report.pid)],
      report !== undefined && ['Up for', duration(report.uptime_seconds * 1_000)],
    ];
    const content = html`${report ? '' : notice('warn', 'It does not answer.', 'It takes no orders: it is a bridge, or it has just gone.')}
<div class="split">
<div class="aside"><section class="card"><h2>It does now</h2>${own.length === 0 ? html`<p class="hint">No task.</p>` : html`<ul class="members">${own.map((task) => html`<li>${runningTask(view, task)}</li>`)}</ul>`}</section>
${report ? html`${queuesCard(view, identity, report, [...known.keys()])}${ratesCard(view, identity, report, names)}${view.may('operate') ? timeLimitCard(identity, names) : ''}` : ''}</div>
${factsCard(about)}
</div>`;
    const shutdown = action(view, {
      to: `${workerPath(identity)}/shutdown`,
      label: 'Shut down',
      tone: 'danger',
      confirm: shutdownQuestion(identity),
    });
    return page(c, {
      title: `Worker ${identity}`,
      place: 'queues',
      actions: html`${report ? badge('ok', 'Answers') : badge('degraded', 'Silent')}${report ? shutdown : ''}`,
      content,
      live: { topics: ['task', 'tick'], since },
    });
  });
}

/** Returns the question before a worker is shut down. */
export function shutdownQuestion(identity: string): string {
  return `Shut down worker ${identity}? It hands over what it works at, and ends.`;
}

function queuesCard(view: View, identity: string, { queues }: WorkerReport, known: readonly string[]): Html {
  const to = (what: string) => `${workerPath(identity)}/${what}`;
  const sizeOf = (name: string) => queues.find((queue) => queue.name === name)?.size;
  const rows = [...new Set([...known, ...queues.map(({ name }) => name)])].map((name) => {
    const size = sizeOf(name);
    const fields = { queue: name, on: size === undefined ? 'yes' : 'no' };
    return html`<div><dt>${name}</dt><dd class="controls"><span>${size === undefined ? html`<span class="hint">takes none</span>` : `${size} at once`}</span>${action(view, { to: to('consume'), label: size === undefined ? 'Take tasks' : 'Take no more', fields })}</dd></div>`;
  });
  const resize = (by: number, label: string) => action(view, { to: to('resize'), label, fields: { by } });
  return html`<section class="card"><header><h2>Queues</h2>${view.may('operate') ? html`<div class="buttons">${resize(-1, 'One slot fewer')}${resize(1, 'One slot more')}</div>` : ''}</header><dl class="facts">${rows}</dl><p class="hint">It forgets this when it stops. What runs goes on.</p></section>`;
}

function ratesCard(view: View, identity: string, { rates }: WorkerReport, names: readonly string[]): Html {
  const set = Object.entries(rates);
  const listed = set.length === 0 ? html`<p class="hint">None.</p>` : facts(set);
  const form = html`<form method="post" action="${workerPath(identity)}/rate" class="inline" data-keep>${taskChoice(names)}<label class="field"><span>Rate, 0 for none</span><input name="rate" placeholder="10/m" required pattern="\\d+(\\.\\d+)?(/[smh])?" autocomplete="off"></label><button type="submit">Limit</button></form>`;
  return html`<section class="card"><h2>Rate limits</h2>${listed}${view.may('operate') ? form : ''}</section>`;
}

function timeLimitCard(identity: string, names: readonly string[]): Html {
  const seconds = (name: string, label: string) =>
    html`<label class="field"><span>${label}</span><input type="number" name="${name}" min="1" step="any" placeholder="none"></label>`;
  return html`<section class="card"><h2>Time limits</h2><form method="post" action="${workerPath(identity)}/time-limit" class="inline" data-keep>${taskChoice(names)}${seconds('soft', 'Soft, seconds')}${seconds('hard', 'Hard, seconds')}<button type="submit">Limit</button></form><p class="hint">They can only be shorter than TASK_TIME_LIMIT.</p></section>`;
}

function taskChoice(names: readonly string[]): Html {
  return html`<label class="field"><span>Task</span><select name="task">${names.map((name) => html`<option value="${name}">${name}</option>`)}</select></label>`;
}
