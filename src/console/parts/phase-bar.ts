import { html } from 'hono/html';
import { type Phase, type PhaseKind, timeIn } from '../../domain/builds/build-phases.ts';
import type { Html } from '../view.ts';
import { duration } from './time.ts';

const WIDTH = 1_000;
/** Smallest width, so that a very short phase is visible. */
const LEAST = 4;

const WORDS: ReadonlyArray<[kind: PhaseKind, word: string]> = [
  ['waiting', 'waited'],
  ['person', 'waited for a person'],
  ['running', 'ran'],
];

/**
 * Returns a bar of a build's phases: hatched while it waited, solid while its run ran. The sums are below it. It is an SVG, whose widths
 * are attributes: the policy of the pages forbids styles within them.
 */
export function phaseBar(phases: readonly Phase[]): Html {
  const total = phases.reduce((sum, { from, to }) => sum + to - from, 0);
  if (total === 0) return html``;
  const scale = (WIDTH - LEAST * phases.length) / total;
  let x = 0;
  const rects = phases.map(({ kind, what, from, to }) => {
    const width = LEAST + (to - from) * scale;
    const rect = html`<rect class="${kind}" x="${x.toFixed(1)}" y="0" width="${Math.max(width - 1.5, 1).toFixed(1)}" height="14" rx="1"><title>${what}: ${duration(to - from)}</title></rect>`;
    x += width;
    return rect;
  });
  const sums = WORDS.map(([kind, word]) => ({ kind, word, ms: timeIn(phases, kind) })).filter(({ ms }) => ms > 0);
  const said = sums.map(({ word, ms }) => `${word} ${duration(ms)}`).join(', ');
  return html`<figure class="phases"><svg viewBox="0 0 ${WIDTH} 14" preserveAspectRatio="none" role="img" aria-label="The build ${said}"><defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-ground" width="7" height="7"/><rect class="hatch-line" width="2.5" height="7"/></pattern></defs>${rects}</svg><figcaption>${sums.map(({ kind, word, ms }) => html`<span class="key ${kind}"><svg viewBox="0 0 10 10" aria-hidden="true"><rect class="${kind}" width="10" height="10" rx="2"/></svg>${word} <strong>${duration(ms)}</strong></span>`)}</figcaption></figure>`;
}
