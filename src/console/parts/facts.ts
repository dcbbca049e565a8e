import { html } from 'hono/html';
import type { Html } from '../view.ts';

/** The name of a fact, and its value; false leaves it out. */
export type Fact = readonly [name: unknown, value: unknown] | false;

/** Returns a list of facts. */
export function facts(rows: readonly Fact[]): Html {
  const shown = rows.filter((row) => row !== false);
  return html`<dl class="facts">${shown.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** Returns a card with the facts about what the page shows. */
export function factsCard(rows: readonly Fact[]): Html {
  return html`<section class="card" aria-labelledby="facts-title"><h2 id="facts-title">About it</h2>${facts(rows)}</section>`;
}
