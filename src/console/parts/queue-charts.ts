import { html } from 'hono/html';
import type { QueueBucket } from '../../store/tasks/queue-history.ts';
import type { Html, View } from '../view.ts';
import { bucketsOfDay, type ChartSeries, chart } from './chart.ts';
import { time } from './time.ts';

const TONES = ['busy', 'good', 'warn', 'bad'] as const;

/** Returns charts of the last day for each queue: how many waited, for how long, and how many came. Nothing if nobody measured. */
export function queueCharts(view: View, history: readonly QueueBucket[], bucketSeconds: number): Html {
  if (history.length === 0) return html``;
  const times = bucketsOfDay(view.now, bucketSeconds);
  const names = [...new Set(history.map(({ queue }) => queue))].sort();
  const series = (value: (bucket: QueueBucket) => number): ChartSeries[] =>
    names.map((name, index) => {
      const own = new Map(history.filter(({ queue }) => queue === name).map((bucket) => [bucket.at, value(bucket)]));
      return {
        label: name,
        tone: TONES[index % TONES.length] ?? 'quiet',
        values: times.map((at) => own.get(at) ?? null),
      };
    });
  const shared = { times, time: (iso: string) => time(view, iso) };
  const charts = [
    chart({
      ...shared,
      id: 'waiting',
      title: 'Waiting',
      says: 'How many waited in each queue within the last day',
      kind: 'lines',
      series: series(({ depth }) => depth),
    }),
    chart({
      ...shared,
      id: 'age',
      title: 'Oldest waits, seconds',
      says: 'How long the oldest waited in each queue within the last day',
      kind: 'lines',
      series: series(({ oldest_age_seconds }) => Math.round(oldest_age_seconds ?? 0)),
    }),
    chart({
      ...shared,
      id: 'accepted',
      title: 'Accepted, by the quarter of an hour',
      says: 'How many each queue accepted within the last day',
      kind: 'bars',
      series: series(({ accepted }) => accepted),
    }),
  ];
  return html`<div class="columns">${charts.map((one) => html`<section class="card">${one}</section>`)}</div>`;
}
