import { html } from 'hono/html';
import type { Html } from '../view.ts';
import { count } from './time.ts';

const DAY_MS = 86_400_000;

export interface ChartSeries {
  label: string;
  tone: 'good' | 'bad' | 'busy' | 'warn' | 'quiet';
  /** Null if nobody measured. */
  values: ReadonlyArray<number | null>;
}

export interface Chart {
  /** Unique in the page. */
  id: string;
  title: string;
  /** A description for people who cannot see it. */
  says: string;
  /** `bars` are stacked; `lines` are separate. */
  kind: 'bars' | 'lines';
  /** Times of the values, ISO 8601, in order. */
  times: readonly string[];
  series: readonly ChartSeries[];
  /** Writes a time for the table beside the chart. */
  time(iso: string): Html;
}

/** Returns the starts of a day's buckets up to now, ISO 8601. They place a chart of one hour correctly within the day. */
export function bucketsOfDay(now: number, bucketSeconds: number): string[] {
  const step = bucketSeconds * 1_000;
  const last = Math.floor(now / step) * step;
  return Array.from({ length: Math.round(DAY_MS / step) }, (_, back) =>
    new Date(last - back * step).toISOString(),
  ).reverse();
}

/** Returns a chart over time. A table on the page says the same, and is all there is without JavaScript. */
export function chart({ id, title, says, kind, times, series, time }: Chart): Html {
  const data = JSON.stringify({
    kind,
    x: times.map((iso) => Math.round(Date.parse(iso) / 1_000)),
    series: series.map(({ label, tone, values }) => ({ label, tone, values })),
  });
  const rows = times.flatMap((iso, index) => {
    const measured = series.map(({ values }) => values[index] ?? null);
    if (measured.every((value) => value === null)) return [];
    const cells = measured.map((value) => html`<td class="number">${value === null ? '–' : count(value)}</td>`);
    return [html`<tr><th scope="row">${time(iso)}</th>${cells}</tr>`];
  });
  return html`<figure class="chart" id="${id}"><figcaption>${title} <span class="legend">${series.map(({ label, tone }) => html`<span class="tone ${tone}">${label}</span>`)}</span></figcaption><div class="plot js" role="img" aria-label="${says}" data-chart="${data}" hx-morph-skip-children></div><details><summary>As a table</summary><div class="scroll" tabindex="0" role="region" aria-label="${title}"><table><thead><tr><th scope="col">Time</th>${series.map(({ label }) => html`<th scope="col" class="number">${label}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div></details></figure>`;
}
