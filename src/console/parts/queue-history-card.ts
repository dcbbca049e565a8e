import { html } from 'hono/html';
import type { QueueBucket } from '../../store/tasks/queue-history.ts';
import type { Html, View } from '../view.ts';
import { bucketsOfDay, type ChartSeries, chart } from './chart.ts';
import { counted, duration, time } from './time.ts';

const TONES = ['busy', 'good', 'warn', 'bad', 'quiet'] as const satisfies ReadonlyArray<ChartSeries['tone']>;

/** Returns charts of a day for each queue: how many waited, and for how long. Nothing before the first sample. */
export function queueHistoryCard(view: View, buckets: readonly QueueBucket[]): Html {
  if (buckets.length === 0) return html``;
  const times = bucketsOfDay(view.now, 3_600);
  const byPlace = new Map(buckets.map((bucket) => [`${bucket.queue} ${bucket.at}`, bucket]));
  const seriesOf = (measure: (bucket: QueueBucket) => number): ChartSeries[] =>
    [...new Set(buckets.map(({ queue }) => queue))].map((queue, index) => ({
      label: queue,
      tone: TONES[index % TONES.length]!,
      values: times.map((at) => {
        const bucket = byPlace.get(`${queue} ${at}`);
        return bucket ? measure(bucket) : null;
      }),
    }));
  const depth = seriesOf((bucket) => bucket.depth);
  const age = seriesOf(({ oldest_age_seconds: seconds }) => Math.round(seconds ?? 0));
  const highest = (series: readonly ChartSeries[]) =>
    Math.max(...series.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const shared = { kind: 'lines', times, time: (iso: string) => time(view, iso) } as const;
  return html`<section class="card" aria-labelledby="waiting-title"><header><h2 id="waiting-title">Waiting, by the hour</h2><a href="queues">Queues and workers</a></header>
${chart({ ...shared, id: 'depth', title: 'How many waited at most', says: `At most ${counted(highest(depth), 'build or task', 'builds and tasks')} waited in a queue`, series: depth })}
${chart({ ...shared, id: 'age', title: 'For how long, seconds', says: `The oldest waited ${duration(highest(age) * 1_000)}`, series: age })}</section>`;
}
