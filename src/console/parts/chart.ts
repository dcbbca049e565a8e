import { html } from 'hono/html';
import type { Html } from '../view.ts';
import { count } from './time.ts';

export interface ChartSeries {
  label: string;
  tone: 'good' | 'bad' | 'busy' | 'warn' | 'quiet';
  values: readonly number[];
}

export interface Chart {
  /** Of its own in the page. */
  id: string;
  title: string;
  /** What it shows, for those who do not see it. */
  says: string;
  /** `bars` stand on each other; `lines` stand for themselves. */
  kind: 'bars' | 'lines';
  /** Times of the values, ISO 8601, in order. */
  times: readonly string[];
  series: readonly ChartSeries[];
  /** How a time is written in the table beside it. */
  time(iso: string): Html;
}

/** A chart over time. The page says the same in a table, which is also what there is without JavaScript. */
export function chart({ id, title, says, kind, times, series, time }: Chart): Html {
  const data = JSON.stringify({
    kind,
    x: times.map((iso) => Math.round(Date.parse(iso) / 1_000)),
    series: series.map(({ label, tone, values }) => ({ label, tone, values })),
  });
  const rows = times.map(
    (iso, index) =>
      html`<tr><th scope="row">${time(iso)}</th>${series.map(({ values }) => html`<td class="number">${count(values[index] ?? 0)}</td>`)}</tr>`,
  );
  return html`<figure class="chart" id="${id}"><figcaption>${title} <span class="legend">${series.map(({ label, tone }) => html`<span class="tone ${tone}">${label}</span>`)}</span></figcaption><div class="plot js" role="img" aria-label="${says}" data-chart="${data}" hx-morph-skip-children></div><details><summary>As a table</summary><div class="scroll" tabindex="0" role="region" aria-label="${title}"><table><thead><tr><th scope="col">Time</th>${series.map(({ label }) => html`<th scope="col" class="number">${label}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div></details></figure>`;
}
