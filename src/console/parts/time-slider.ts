import { html } from 'hono/html';
import { type Html, linkTo, type View } from '../view.ts';
import { hidden } from './action.ts';
import { icon } from './icon.ts';
import { duration, time } from './time.ts';

/** Steps of the slider, from the oldest (0) to now. */
const STEPS = 1_000;

/** Returns how long before now a step is. The near past has more steps than the distant past. */
export function ageOfStep(step: number, spanMs: number): number {
  return Math.round(spanMs * ((STEPS - Math.min(Math.max(step, 0), STEPS)) / STEPS) ** 3);
}

function stepOfAge(ageMs: number, spanMs: number): number {
  return Math.round(STEPS * (1 - Math.cbrt(Math.min(ageMs / spanMs, 1))));
}

/**
 * Returns a slider that takes a list back in time, to any moment since the oldest entry.
 * @param query the filters of the list, which stay. @param oldest ISO 8601; undefined if there is nothing to go back to.
 */
export function timeSlider(
  view: View,
  path: string,
  query: Record<string, string | number | boolean | undefined>,
  { at, oldest }: { at: string | undefined; oldest: string | undefined },
): Html {
  if (oldest === undefined) return html``;
  const span = Math.max(1_000, view.now - Date.parse(oldest));
  const age = at === undefined ? 0 : Math.max(0, view.now - Date.parse(at));
  const told = at === undefined ? html`now` : html`${time(view, at)}, ${duration(age)} ago`;
  return html`<form class="slider" method="get" action="${path}" data-slider data-span="${span}">${hidden({ ...query, at: undefined })}<label for="time-step">${icon('waiting')}As of</label><input type="range" id="time-step" name="step" min="0" max="${STEPS}" value="${stepOfAge(age, span)}"><output for="time-step">${told}</output><button type="submit" class="no-js">Go there</button>${at === undefined ? '' : html`<a class="button" href="${linkTo(path, query)}">Back to now</a>`}</form>`;
}
