import { html } from 'hono/html';
import { measureOutgoing } from '../../commands/callbacks/measure-outgoing.ts';
import { listPresentWorkers, type PresentWorker } from '../../commands/workers/list-workers.ts';
import { TELLING_QUEUES } from '../../contracts/tasks/task-queues.ts';
import { findLogEnd } from '../../store/record/log-end.ts';
import { listQueueHistory, type QueueBucket } from '../../store/tasks/queue-history.ts';
import { measureQueues, type QueueMeasures } from '../../store/tasks/queue-measure.ts';
import { listPausedQueues, type QueuePause } from '../../store/tasks/queue-pause-list.ts';
import { listRunningTasks, type RunningTask } from '../../store/tasks/task-list-running.ts';
import type { ConsoleDependencies } from '../app.ts';
import { page } from '../layout.ts';
import { action } from '../parts/action.ts';
import { badge } from '../parts/badge.ts';
import { notice } from '../parts/notice.ts';
import { queueCharts } from '../parts/queue-charts.ts';
import { type Column, table } from '../parts/table.ts';
import { shortId, taskLink } from '../parts/task-cells.ts';
import { between, count, counted, duration, time } from '../parts/time.ts';
import { type Console, type Html, linkTo, type View } from '../view.ts';

/** The most running tasks that the page shows. */
const MOST_RUNNING = 500;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Length of a bucket in the charts. */
const BUCKET_SECONDS = 900;
/** How many of these are shown for each worker. */
const SHOWN_BY_WORKER = 5;

/** Adds the page of queues and workers: what waits, what runs, and which workers there are. */
export function queues(console: Console, { db, client, taskTypes }: ConsoleDependencies): void {
  console.get('/queues', async (c) => {
    const { view } = c.var;
    const since = await findLogEnd(db);
    const dayAgo = new Date(view.now - DAY_MS).toISOString();
    const [measured, outgoing, workers, running, paused, history] = await Promise.all([
      measureQueues(db),
      measureOutgoing(client),
      listPresentWorkers(client, taskTypes),
      listRunningTasks(db, MOST_RUNNING),
      listPausedQueues(db),
      listQueueHistory(db, { since: dayAgo, until: new Date(view.now).toISOString(), bucketSeconds: BUCKET_SECONDS }),
    ]);
    const pauses = new Map<string, QueuePause>(paused.map((pause) => [pause.queue, pause]));
    const served = (queue: string) =>
      workers.filter(({ queues }) => queues.some((name) => name === (queue === 'builds' ? 'workflows' : queue))).length;
    const all = [...measured, ...outgoing];
    const unserved = all.filter(({ name, depth }) => depth > 0 && served(name) === 0 && name !== 'callbacks');
    const content = html`${unserved.length > 0 ? unservedNotice(unserved) : ''}
${table({ caption: 'Queues', columns: queueColumns(view, served, pauses, acceptedLately(history, view.now)), rows: all, idOf: ({ name }) => name })}
${queueCharts(view, history, BUCKET_SECONDS)}
<h2>${workers.length === 0 ? 'Workers' : counted(workers.length, 'worker')}</h2>
${workers.length === 0 ? notice('bad', 'No worker is there.', html`Builds and tasks are accepted, and wait. Start one with <code>hapax serve worker</code>.`) : table({ caption: 'Workers', columns: workerColumns(view, running), rows: workers, idOf: ({ identity }) => encodeURIComponent(identity) })}`;
    return page(c, {
      title: 'Queues and workers',
      place: 'queues',
      content,
      charts: true,
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

function queueColumns(
  view: View,
  served: (queue: string) => number,
  pauses: ReadonlyMap<string, QueuePause>,
  accepted: ReadonlyMap<string, number>,
): Array<Column<QueueMeasures>> {
  return [
    {
      title: 'Queue',
      kind: 'tight',
      cell: ({ name }) => html`${queueLink(name)}${pauses.has(name) ? html` ${badge('paused', 'Paused')}` : ''}`,
    },
    { title: 'Waiting', kind: 'number', cell: ({ depth }) => count(depth) },
    {
      title: 'Oldest waits',
      kind: 'number',
      cell: ({ oldestAgeSeconds }) => (oldestAgeSeconds === null ? '–' : duration(oldestAgeSeconds * 1_000)),
    },
    { title: 'In flight', kind: 'number', cell: ({ inFlight }) => count(inFlight) },
    { title: 'Accepted, last hour', kind: 'number', cell: ({ name }) => count(accepted.get(name) ?? 0) },
    { title: 'Workers that ask', kind: 'number', cell: ({ name }) => count(served(name)) },
    { title: 'Control', kind: 'tight', cell: ({ name }) => pauseControl(view, name, pauses.get(name)) },
  ];
}

function queueLink(name: string): Html {
  if (name === 'builds') return html`<a href="builds">builds</a>`;
  if (!isOfTasks(name)) return html`${name}`;
  return html`<a href="${linkTo('tasks', { queue: name })}">${name}</a>`;
}

function isOfTasks(name: string): boolean {
  return name !== 'builds' && !TELLING_QUEUES.some((telling) => telling === name);
}

/** Returns the question before a queue is paused. */
export function pauseQuestion(name: string): string {
  return `Pause the queue ${name}? No worker takes a task from it until it is resumed, over restarts. What runs goes on.`;
}

/** Returns the button that pauses or resumes a queue of tasks, and who paused it. */
function pauseControl(view: View, name: string, pause: QueuePause | undefined): Html {
  if (!isOfTasks(name)) return html``;
  if (!pause) {
    const confirm = pauseQuestion(name);
    return action(view, { to: `queues/${name}/pause`, label: 'Pause', icon: 'pause', confirm });
  }
  return html`${action(view, { to: `queues/${name}/resume`, label: 'Resume', icon: 'trigger' })} <span class="hint">since ${time(view, pause.since)}, by ${pause.by}</span>`;
}

/** Returns how many each queue accepted in the last hour. */
function acceptedLately(history: readonly QueueBucket[], now: number): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { queue, at, accepted } of history) {
    if (now - Date.parse(at) <= HOUR_MS) sums.set(queue, (sums.get(queue) ?? 0) + accepted);
  }
  return sums;
}

/** Returns the path of a worker's page. */
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

/** Returns a running task, and for how long it has run. */
export function runningTask(view: View, { id, name, attempts, started_at }: RunningTask): Html {
  return html`${taskLink(id, name)}<span class="id" title="${id}">${shortId(id)}</span> <span class="hint">${attempts > 1 ? `try ${attempts}, ` : ''}${between(view, started_at, null)}</span>`;
}
