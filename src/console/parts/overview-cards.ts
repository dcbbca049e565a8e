import { html } from 'hono/html';
import type { DependencyHealth, Health } from '../../contracts/health.ts';
import { deadLetterIdOf, type ListedDeadLetter } from '../../store/endings/dead-letter-list.ts';
import { listedAt } from '../../store/endings/dead-letter-list-by-id.ts';
import type { FailureGroup } from '../../store/endings/ending-count-by-hour.ts';
import type { Page } from '../../store/page.ts';
import type { QueueMeasures } from '../../store/tasks/queue-measure.ts';
import { type Html, linkTo, type View } from '../view.ts';
import { badge } from './badge.ts';
import { deadLetterReason, needsAttention } from './dead-letter-cells.ts';
import { notice } from './notice.ts';
import { table } from './table.ts';
import { count, counted, duration, time } from './time.ts';

const DEPENDENCIES: Readonly<Record<keyof Health['dependencies'], string>> = {
  postgres: 'Postgres',
  temporal: 'Temporal',
  github: 'GitHub',
  workers: 'Workers',
  content: 'Content',
};

/** Returns whether everything works, in words, and what does not and why. @param waits whether something waits for a person. */
export function healthNotice({ status, dependencies, reconciliation }: Health, waits: boolean): Html {
  const all = Object.entries(dependencies) as Array<[keyof typeof DEPENDENCIES, DependencyHealth]>;
  const ill = all.filter(([, dependency]) => dependency.status === 'degraded');
  const unknown = all.filter(([, dependency]) => dependency.status === 'unknown');
  const unresolved = reconciliation?.unresolved ?? 0;
  if (status === 'ok' && unknown.length === 0) {
    const title = waits ? 'All parts work.' : 'All is well.';
    return notice('good', title, 'Postgres, Temporal, GitHub and the workers answer.');
  }
  if (ill.length === 0 && unresolved === 0) {
    return notice(
      'quiet',
      'Not everything has been looked at yet.',
      unknown.map(([name]) => DEPENDENCIES[name]).join(', '),
    );
  }
  const faults = html`<ul>${ill.map(([name, { detail }]) => html`<li><strong>${DEPENDENCIES[name]}</strong>: ${detail ?? 'does not answer'}</li>`)}${unresolved > 0 ? html`<li>${counted(unresolved, 'difference')} between the record and Temporal could not be repaired; the log says why</li>` : ''}</ul>`;
  return notice('bad', 'Something is wrong.', faults);
}

/** Returns what waits for somebody. */
export function peopleFirst(view: View, { items: rows, end }: Page<ListedDeadLetter>): Html {
  if (rows.length === 0)
    return notice('good', 'Nothing waits for you.', 'No build needs a decision, and there is no dead letter.');
  const list = table<ListedDeadLetter>({
    caption: 'Builds, tasks and messages that need you',
    idOf: (letter) => deadLetterIdOf(letter).replaceAll(/[^\w-]/g, '-'),
    rows,
    columns: [
      { title: 'What', kind: 'tight', cell: (letter) => letterLink(letter) },
      {
        title: 'State',
        kind: 'tight',
        cell: (letter) => badge(needsAttention(letter) ? 'needs_attention' : 'dead_letter'),
      },
      { title: 'Why', kind: 'wide', cell: (letter) => deadLetterReason(letter).slice(0, 200).toWellFormed() },
      { title: 'Since', kind: 'tight', cell: (letter) => time(view, listedAt(letter)) },
    ],
  });
  const more = end ? html`<a href="dead-letters">There are more</a>` : html`<a href="dead-letters">Dead letters</a>`;
  return html`<section class="card" aria-labelledby="people-title"><header><h2 id="people-title">Needs you first</h2>${more}</header>${list}</section>`;
}

function letterLink(letter: ListedDeadLetter): Html {
  switch (letter.kind) {
    case 'build':
      return html`<a href="builds/${letter.build.id}">Build ${letter.build.id}</a>`;
    case 'task':
      return html`<a href="tasks/${encodeURIComponent(letter.task.id)}">${letter.task.name}</a>`;
    case 'message':
      return html`<a href="${linkTo('dead-letters', { kind: 'message' })}">Message for ${letter.message.queue}</a>`;
    default:
      return letter satisfies never;
  }
}

/** Returns the failures of a day by cause. */
export function failuresCard(view: View, groups: readonly FailureGroup[]): Html {
  const none = html`<p class="hint">Nothing failed.</p>`;
  const list = html`<ul class="lines">${groups.map(({ kind, name, cause, count: times, last_id, last_at }) => html`<li><span class="amount">${count(times)}×</span><div><a href="${kind === 'build' ? `builds/${last_id}` : `tasks/${encodeURIComponent(last_id)}`}">${name}</a><span class="sub">${cause.replaceAll('_', ' ')} · last ${time(view, last_at)}</span></div></li>`)}</ul>`;
  return html`<section class="card" aria-labelledby="failures-title"><header><h2 id="failures-title">Failures of the day</h2><a href="${linkTo('builds', { status: 'failure' })}">Failed builds</a></header>${groups.length === 0 ? none : list}</section>`;
}

/** Returns what waits in each queue, and for how long. */
export function queuesCard(queues: readonly QueueMeasures[]): Html {
  const list = table<QueueMeasures>({
    caption: 'What waits in each queue',
    idOf: ({ name }) => `queue-${name}`,
    rows: queues,
    columns: [
      {
        title: 'Queue',
        cell: ({ name }) =>
          name === 'builds' ? html`<a href="${linkTo('builds', { status: 'queued' })}">builds</a>` : name,
      },
      { title: 'Waiting', kind: 'number', cell: ({ depth }) => count(depth) },
      {
        title: 'Oldest',
        kind: 'number',
        cell: ({ oldestAgeSeconds }) => (oldestAgeSeconds === null ? '–' : duration(oldestAgeSeconds * 1_000)),
      },
      { title: 'Running', kind: 'number', cell: ({ inFlight }) => count(inFlight) },
    ],
  });
  return html`<section class="card fits" aria-labelledby="queues-title"><header><h2 id="queues-title">Queues</h2><a href="queues">Queues and workers</a></header>${list}</section>`;
}

/** Returns the rest of today's YouTube quota. */
export function quotaCard(
  view: View,
  {
    used,
    dailyUnits,
    priorityReserved,
    resetsAt,
  }: { used: number; dailyUnits: number; priorityReserved: number; resetsAt: string },
): Html {
  const left = Math.max(0, dailyUnits - used);
  return html`<section class="card" aria-labelledby="quota-title"><header><h2 id="quota-title">YouTube quota</h2><a href="quota">Days</a></header><meter min="0" max="${dailyUnits}" value="${used}" aria-label="Units used today">${used}</meter><p><strong>${count(left)}</strong> of ${count(dailyUnits)} units left today${priorityReserved > 0 ? `, ${count(priorityReserved)} of them for urgent videos` : ''}.</p><p class="hint">It resets at ${time(view, resetsAt)}.</p></section>`;
}
