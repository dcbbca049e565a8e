import { html } from 'hono/html';
import { quotaDay, quotaDaysUntil, quotaReset } from '../../domain/content/quota-day.ts';
import { quotaCeiling, usageOf } from '../../domain/content/youtube-quota.ts';
import { listUnitsUsed } from '../../store/content/quota-list.ts';
import { findLogEnd } from '../../store/record/log-end.ts';
import type { ConsoleDependencies } from '../app.ts';
import { page } from '../layout.ts';
import { chart } from '../parts/chart.ts';
import { type Fact, facts } from '../parts/facts.ts';
import { count, duration, time } from '../parts/time.ts';
import type { Console, Html } from '../view.ts';

/** How many days are shown. */
const DAYS = 30;

/** Adds the page of the YouTube quota, with the units used by day. */
export function quota(console: Console, { db, youtubeQuota }: ConsoleDependencies): void {
  console.get('/quota', async (c) => {
    const { view } = c.var;
    const since = await findLogEnd(db);
    const days = quotaDaysUntil(quotaDay(view.now), DAYS);
    const found = await listUnitsUsed(db, days[0] ?? '');
    const used = new Map(found.map(({ day, units_used }) => [day, units_used]));
    const values = days.map((day) => used.get(day) ?? 0);
    const today = values.at(-1) ?? 0;
    const { units_remaining, percentage_used } = usageOf(youtubeQuota, today);
    const unreserved = Math.max(0, quotaCeiling(youtubeQuota, false) - today);
    const resetsAt = quotaReset(view.now);
    const units: Fact[] = [
      ['Used', `${count(today)} of ${count(youtubeQuota.dailyUnits)} units, ${percentage_used} %`],
      ['Left', `${count(units_remaining)} units`],
      [
        'Left without priority',
        `${count(unreserved)} units; the last ${count(youtubeQuota.priorityReserved)} are for tasks with priority`,
      ],
      ['Resets', html`${time(view, new Date(resetsAt).toISOString())}, in ${duration(resetsAt - view.now)}`],
    ];
    const content = html`<section class="card"><h2>Today</h2><meter min="0" max="${youtubeQuota.dailyUnits}" value="${today}" aria-label="Units used today">${count(today)}</meter>${facts(units)}</section>
<section class="card">${chart({
      id: 'quota-days',
      title: `Units used, by day in Los Angeles`,
      says: `Units of YouTube's quota used on each of the last ${DAYS} days; today ${count(today)}`,
      kind: 'bars',
      times: days.map((day) => `${day}T12:00:00.000Z`),
      series: [{ label: 'units', tone: 'busy', values }],
      time: dayOf,
    })}</section>
<p class="hint">A video takes one unit. Ingest one with priority on the page <a href="content">Content</a>.</p>`;
    return page(c, {
      title: 'YouTube quota',
      place: 'quota',
      content,
      charts: true,
      live: { topics: ['tick'], since },
    });
  });
}

/** Returns a day of the quota, which is Google's day in any time zone of the browser. */
function dayOf(iso: string): Html {
  return html`${iso.slice(0, 10)}`;
}
