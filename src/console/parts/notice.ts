import { html } from 'hono/html';
import type { Html } from '../view.ts';
import { icon } from './icon.ts';

/** Something that a person should read: what happened, and what to do. */
export function notice(tone: 'good' | 'bad' | 'warn' | 'quiet', title: unknown, body?: unknown): Html {
  const shape = { good: 'success', bad: 'failure', warn: 'attention', quiet: 'queued' } as const;
  return html`<div class="notice ${tone}" role="${tone === 'bad' ? 'alert' : 'status'}">${icon(shape[tone])}<div><strong>${title}</strong>${body ? html`<p>${body}</p>` : ''}</div></div>`;
}

/** What a list says that has nothing to show, and what to do about that. */
export function emptyState(title: string, body?: unknown): Html {
  return html`<div class="empty"><p class="title">${title}</p>${body ? html`<p>${body}</p>` : ''}</div>`;
}
