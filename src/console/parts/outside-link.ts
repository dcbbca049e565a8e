import { html } from 'hono/html';
import type { Html } from '../view.ts';
import { icon } from './icon.ts';

/** Returns a link to another site, in a new tab; only the text if the URL is not a web address, because it came from outside. */
export function outsideLink(url: string | null | undefined, text: unknown): Html {
  if (!/^https?:$/.test(URL.parse(url ?? '')?.protocol ?? '')) return html`${text}`;
  return html`<a href="${url}" target="_blank" rel="noopener noreferrer">${text} ${icon('external')}<span class="hidden">(elsewhere)</span></a>`;
}
