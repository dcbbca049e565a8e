import { html } from 'hono/html';
import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { CallbackEventType } from '../../contracts/endings/callback.ts';
import type { Html, View } from '../view.ts';
import { foldedJson } from './folded-json.ts';
import { type IconName, icon } from './icon.ts';
import { duration, time } from './time.ts';

export interface Look {
  icon: IconName;
  tone: 'quiet' | 'busy' | 'good' | 'bad' | 'warn';
  /** Says what happened, in words. @param data of the event. */
  says(data: Record<string, unknown>): string;
}

/** How the timeline shows attempts of callbacks. */
export const CALLBACK_LOOKS: Record<CallbackEventType, Look> = {
  callback_delivered: {
    icon: 'success',
    tone: 'good',
    says: ({ callback_origin, status, attempt: one }) =>
      `Callback delivered to ${callback_origin ?? 'its URL'} (${status}, try ${one})`,
  },
  callback_failed: {
    icon: 'failure',
    tone: 'warn',
    says: ({ callback_origin, reason, attempt: one, next_at }) =>
      `Callback to ${callback_origin ?? 'its URL'} failed (try ${one}): ${reason}${next_at === null ? '; it was the last try' : ''}`,
  },
};

/** How the timeline shows an erasure. */
export const ERASED_LOOK: Look = {
  icon: 'cancelled',
  tone: 'quiet',
  says: ({ by }) => (by === 'retention' ? 'Erased, as it was kept for its time' : `Erased by ${by}`),
};

export interface ToldAs extends Pick<Look, 'icon' | 'tone'> {
  says: unknown;
  /** How Hapax knows it. */
  evidence?: readonly Html[];
}

/** Returns one event in a timeline, which unfolds to everything that was recorded. @param before the event before it. */
export function timelineEvent(
  view: View,
  { seq, type, data, sealed, occurred_at, hash }: RecordedEvent,
  before: RecordedEvent | undefined,
  { icon: shape, tone, says, evidence = [] }: ToldAs,
): Html {
  const since = before ? Date.parse(occurred_at) - Date.parse(before.occurred_at) : undefined;
  return html`<li id="event-${seq}" class="${tone}">${icon(shape)}<div><p class="what">${says}</p>${evidence.length > 0 ? html`<p class="evidence">${evidence}</p>` : ''}<details><summary>${type} · event ${seq}</summary>${foldedJson(data)}${sealed?.salt === null ? html`<p class="hint">Values of it were erased.</p>` : ''}<p class="hint">hash <code>${hash}</code></p></details></div><div class="when">${time(view, occurred_at)}${since === undefined ? '' : html`<span class="hint">+${duration(since)}</span>`}</div></li>`;
}
