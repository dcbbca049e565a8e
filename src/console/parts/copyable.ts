import { html } from 'hono/html';
import type { Html } from '../view.ts';
import { icon } from './icon.ts';

/** Returns lines for a terminal, with a button that copies them. @param id unique in the page. */
export function copyable(id: string, text: string): Html {
  return html`<div class="copyable"><pre id="${id}" tabindex="0"><code>${text}</code></pre><button type="button" class="quiet js" data-copy="#${id}">${icon('copy')}<span>Copy</span></button></div>`;
}

/** Returns a word of a shell's command line, quoted if necessary. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
