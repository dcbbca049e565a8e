import { html } from 'hono/html';
import type { Html, View } from '../view.ts';
import { icon } from './icon.ts';
import { time } from './time.ts';

/** Returns a message for people: what happened, and what to do. */
export function notice(tone: 'good' | 'bad' | 'warn' | 'quiet', title: unknown, body?: unknown): Html {
  const shape = { good: 'success', bad: 'failure', warn: 'attention', quiet: 'queued' } as const;
  return html`<div class="notice ${tone}" role="${tone === 'bad' ? 'alert' : 'status'}">${icon(shape[tone])}<div><strong>${title}</strong>${body ? html`<p>${body}</p>` : ''}</div></div>`;
}

/** Returns a message that values were erased, and when. */
export function erasedNotice(view: View, what: string, at: string): Html {
  return notice('quiet', html`Erased on ${time(view, at)}.`, `${what} are gone. The events that tell of them stay.`);
}

/** Returns what an empty list says, and what to do about it. */
export function emptyState(title: string, body?: unknown): Html {
  return html`<div class="empty"><p class="title">${title}</p>${body ? html`<p>${body}</p>` : ''}</div>`;
}
