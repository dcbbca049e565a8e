import { html } from 'hono/html';
import type { Refusal } from '../../commands/refusal.ts';
import type { Html, View } from '../view.ts';
import { icon } from './icon.ts';
import { time } from './time.ts';

/** Returns a message for people: what happened, and what to do. */
export function notice(tone: 'good' | 'bad' | 'warn' | 'quiet', title: unknown, body?: unknown): Html {
  const shape = { good: 'success', bad: 'failure', warn: 'attention', quiet: 'queued' } as const;
  return html`<div class="notice ${tone}" role="${tone === 'bad' ? 'alert' : 'status'}">${icon(shape[tone])}<div><strong>${title}</strong>${body ? html`<p>${body}</p>` : ''}</div></div>`;
}

/** Returns why something was refused: every fault with its place, if the refusal names them. */
export function faultsOf({ errors, message }: Refusal): Html | string {
  if (!errors) return message;
  const place = (path: string) => path.replace(/^body\.(kwargs\.)?/, '');
  return html`<ul>${errors.map((fault) => html`<li><code>${place(fault.path)}</code> ${fault.message}</li>`)}</ul>`;
}

/** Returns a message that values were erased, and when. */
export function erasedNotice(view: View, what: string, at: string): Html {
  return notice('quiet', html`Erased on ${time(view, at)}.`, `${what} are gone. The events that tell of them stay.`);
}

/** Returns what an empty list says, and what to do about it. */
export function emptyState(title: string, body?: unknown): Html {
  return html`<div class="empty"><p class="title">${title}</p>${body ? html`<p>${body}</p>` : ''}</div>`;
}
