import { html } from 'hono/html';
import { quotaDay, quotaReset } from '../../domain/content/quota-day.ts';
import { findUnitsUsed } from '../../store/content/quota-find.ts';
import type { Db } from '../../store/database.ts';
import { type ListedDeadLetter, listDeadLetters } from '../../store/endings/dead-letter-list.ts';
import { countEndingsByHour, groupFailures } from '../../store/endings/ending-count-by-hour.ts';
import type { Page } from '../../store/page.ts';
import { findLogEnd } from '../../store/record/log-end.ts';
import { listQueueHistory } from '../../store/tasks/queue-history.ts';
import { measureQueues } from '../../store/tasks/queue-measure.ts';
import type { ConsoleDependencies } from '../app.ts';
import { page } from '../layout.ts';
import { chart } from '../parts/chart.ts';
import { needsAttention } from '../parts/dead-letter-cells.ts';
import { failuresCard, healthNotice, peopleFirst, queuesCard, quotaCard } from '../parts/overview-cards.ts';
import { queueHistoryCard } from '../parts/queue-history-card.ts';
import { counted, time } from '../parts/time.ts';
import type { Console, View } from '../view.ts';

const DAY_MS = 86_400_000;
/** How many entries a list shows. More would hide the rest of the page; the other pages show all. */
const SHOWN = 8;

/** Adds the page that people look at first: whether everything works, what needs somebody, and what failed. */
export function overview(console: Console, deps: ConsoleDependencies): void {
  const { db, health, youtubeQuota } = deps;
  for (const path of ['/', '']) {
    console.get(path, async (c) => {
      const { view } = c.var;
      const since = await findLogEnd(db);
      const dayAgo = new Date(view.now - DAY_MS).toISOString();
      const [letters, hours, failures, queues, history, used] = await Promise.all([
        listPeopleFirst(db),
        countEndingsByHour(db, dayAgo),
        groupFailures(db, dayAgo, SHOWN),
        measureQueues(db),
        listQueueHistory(db, { since: dayAgo, until: new Date(view.now).toISOString(), bucketSeconds: 3_600 }),
        findUnitsUsed(db, quotaDay(view.now)),
      ]);
      const content = html`${healthNotice(health(), letters.items.length > 0)}
${peopleFirst(view, letters)}
<div class="masonry">
<section class="card" aria-labelledby="ended-title"><h2 id="ended-title">The last 24 hours</h2>${endedChart(view, hours)}</section>
${failuresCard(view, failures)}
${queuesCard(queues)}
${queueHistoryCard(view, history)}
${quotaCard(view, { used, ...youtubeQuota, resetsAt: new Date(quotaReset(view.now)).toISOString() })}
</div>`;
      return page(c, {
        title: 'Overview',
        place: '',
        content,
        charts: true,
        live: { topics: ['build', 'task', 'tick'], since },
      });
    });
  }
}

/** Lists what waits for somebody: first builds that continue as soon as somebody decides, however old they are. */
async function listPeopleFirst(db: Db): Promise<Page<ListedDeadLetter>> {
  const [urgent, newest] = await Promise.all([
    listDeadLetters(db, { limit: SHOWN, kind: 'build', cause: 'needs_attention' }),
    listDeadLetters(db, { limit: SHOWN }),
  ]);
  const others = newest.items.filter((letter) => !needsAttention(letter));
  return { items: [...urgent.items, ...others].slice(0, SHOWN), end: newest.end };
}

function endedChart(view: View, hours: Awaited<ReturnType<typeof countEndingsByHour>>) {
  const failed = hours.reduce((sum, hour) => sum + hour.failed, 0);
  const succeeded = hours.reduce((sum, hour) => sum + hour.succeeded, 0);
  return chart({
    id: 'ended',
    title: 'Builds and tasks that ended, by the hour',
    says: `In the last 24 hours, ${counted(succeeded, 'build or task', 'builds and tasks')} succeeded and ${failed} failed`,
    kind: 'bars',
    times: hours.map(({ hour }) => hour),
    series: [
      { label: 'failed', tone: 'bad', values: hours.map((hour) => hour.failed) },
      { label: 'succeeded', tone: 'good', values: hours.map((hour) => hour.succeeded) },
    ],
    time: (iso) => time(view, iso),
  });
}
