import { html } from 'hono/html';
import { measureOutgoing } from '../../commands/callbacks/measure-outgoing.ts';
import { listPresentWorkers, type PresentWorker } from '../../commands/workers/list-workers.ts';
import { findLogHead } from '../../store/record/stream-list-changed.ts';
import { measureQueues, type QueueMeasures } from '../../store/tasks/queue-measure.ts';
import { listRunningTasks, type RunningTask } from '../../store/tasks/task-list-running.ts';
import type { ConsoleDependencies } from '../app.ts';
import { page } from '../layout.ts';
import { notice } from '../parts/notice.ts';
import { type Column, table } from '../parts/table.ts';
import { shortId, taskLink } from '../parts/task-cells.ts';
import { between, count, counted, duration, time } from '../parts/time.ts';
import { type Console, type Html, linkTo, type View } from '../view.ts';

/** The most running tasks that the page shows. */
const MOST_RUNNING = 500;
/** Of these, so many by each worker. */
const SHOWN_BY_WORKER = 5;

/** What waits, what runs, and who works at it now. */
export function queues(console: Console, { db, client }: ConsoleDependencies): void {
  console.get('/queues', async (c) => {
    const { view } = c.var;
    const since = await findLogHead(db);
    const [measured, outgoing, workers, running] = await Promise.all([
      measureQueues(db),
      measureOutgoing(client),
      listPresentWorkers(client),
      listRunningTasks(db, MOST_RUNNING),
    ]);
    const served = (queue: string) =>
      workers.filter(({ queues }) => queues.some((name) => name === (queue === 'builds' ? 'workflows' : queue))).length;
    const all = [...measured, ...outgoing];
    const unserved = all.filter(({ name, depth }) => depth > 0 && served(name) === 0 && name !== 'callbacks');
    const content = html`${unserved.length > 0 ? unservedNotice(unserved) : ''}
${table({ caption: 'Queues', columns: queueColumns(served), rows: all, idOf: ({ name }) => name })}
<h2>${workers.length === 0 ? 'Workers' : counted(workers.length, 'worker')}</h2>
${workers.length === 0 ? notice('bad', 'No worker is there.', html`Builds and tasks are accepted, and wait. Start one with <code>hapax serve worker</code>.`) : table({ caption: 'Workers', columns: workerColumns(view, running), rows: workers, idOf: ({ identity }) => encodeURIComponent(identity) })}`;
    return page(c, {
      title: 'Queues and workers',
      place: 'queues',
      content,
      live: { topics: ['task', 'build', 'tick'], since },
    });
  });
}

function unservedNotice(unserved: readonly QueueMeasures[]): Html {
  const names = unserved.map(({ name }) => name).join(', ');
  return notice(
    'warn',
    `Nobody asked for the work of ${names} within the last 90 seconds.`,
    'Its workers are all busy, or there is none.',
  );
}

function queueColumns(served: (queue: string) => number): Array<Column<QueueMeasures>> {
  return [
    { title: 'Queue', kind: 'tight', cell: ({ name }) => queueLink(name) },
    { title: 'Waiting', kind: 'number', cell: ({ depth }) => count(depth) },
    {
      title: 'Oldest waits',
      kind: 'number',
      cell: ({ oldestAgeSeconds }) => (oldestAgeSeconds === null ? '–' : duration(oldestAgeSeconds * 1_000)),
    },
    { title: 'In flight', kind: 'number', cell: ({ inFlight }) => count(inFlight) },
    { title: 'Workers that ask', kind: 'number', cell: ({ name }) => count(served(name)) },
  ];
}

function queueLink(name: string): Html {
  if (name === 'builds') return html`<a href="builds">builds</a>`;
  if (name === 'callbacks' || name === 'bridge') return html`${name}`;
  return html`<a href="${linkTo('tasks', { queue: name })}">${name}</a>`;
}

/** Path of the page of a worker. */
export function workerPath(identity: string): string {
  return `workers/${encodeURIComponent(identity)}`;
}

function workerColumns(view: View, running: readonly RunningTask[]): Array<Column<PresentWorker>> {
  return [
    {
      title: 'Worker',
      kind: 'tight',
      cell: ({ identity }) => html`<a href="${workerPath(identity)}"><code>${identity}</code></a>`,
    },
    {
      title: 'Asks for',
      cell: ({ queues }) =>
        queues.length === 0 ? html`<span class="hint">nothing, it is busy</span>` : queues.join(', '),
    },
    {
      title: 'Does now',
      cell: ({ identity }) => {
        const own = running.filter(({ worker }) => worker === identity);
        if (own.length === 0) return html`<span class="hint">no task</span>`;
        const rest = own.length - SHOWN_BY_WORKER;
        return html`<ul class="members">${own.slice(0, SHOWN_BY_WORKER).map((one) => html`<li>${runningTask(view, one)}</li>`)}</ul>${rest > 0 ? html`<span class="hint">and ${counted(rest, 'other task')}</span>` : ''}`;
      },
    },
    { title: 'Seen', kind: 'tight', cell: ({ lastSeenAt }) => time(view, lastSeenAt.toISOString()) },
  ];
}

/** A task that runs, and for how long. */
export function runningTask(view: View, { id, name, attempts, started_at }: RunningTask): Html {
  return html`${taskLink(id, name)}<span class="id" title="${id}">${shortId(id)}</span> <span class="hint">${attempts > 1 ? `try ${attempts}, ` : ''}${between(view, started_at, null)}</span>`;
}
