import { html } from 'hono/html';
import type { Html } from '../view.ts';

/** How many characters of a value a page shows: at most, and before it is unfolded. */
const SHOWN = 4_000;
const GLANCE = 160;

/**
 * Returns a JSON value of any size: one line, which unfolds to the indented value. A large value is cut, with its size and a link to all of
 * it, so that no argument breaks a page.
 * @param rawHref where the whole value is served; left out if a cut value is enough.
 */
export function foldedJson(value: unknown, rawHref?: string): Html {
  if (value === null || value === undefined) return html`<span class="none">${value === null ? 'null' : '–'}</span>`;
  const line = JSON.stringify(value);
  if (line.length <= 60) return html`<code class="json">${line}</code>`;
  const size = new TextEncoder().encode(line).length;
  const whole = line.length <= SHOWN ? JSON.stringify(value, undefined, 2) : line;
  const cut = whole.length > SHOWN;
  return html`<details class="json"><summary><code>${line.slice(0, GLANCE).toWellFormed()}${line.length > GLANCE ? '…' : ''}</code></summary><pre tabindex="0"><code>${whole.slice(0, SHOWN).toWellFormed()}${cut ? '…' : ''}</code></pre>${cut ? html`<p class="hint">The first ${SHOWN.toLocaleString('en-US')} of ${size.toLocaleString('en-US')} bytes.${rawHref ? html` <a href="${rawHref}">All of it</a>` : ''}</p>` : ''}</details>`;
}
