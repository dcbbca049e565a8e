import { html } from 'hono/html';
import type { Html } from '../view.ts';
import { type IconName, icon } from './icon.ts';

/** The look of a status. Its shape and its word distinguish it where colours do not. */
interface Look {
  word: string;
  icon: IconName;
  tone: 'quiet' | 'busy' | 'good' | 'bad' | 'warn';
}

const LOOKS: Readonly<Record<string, Look>> = {
  queued: { word: 'Queued', icon: 'queued', tone: 'quiet' },
  scheduled: { word: 'Scheduled', icon: 'waiting', tone: 'quiet' },
  pending: { word: 'Pending', icon: 'queued', tone: 'quiet' },
  in_progress: { word: 'In progress', icon: 'running', tone: 'busy' },
  started: { word: 'Started', icon: 'running', tone: 'busy' },
  retry: { word: 'Retrying', icon: 'retry', tone: 'warn' },
  success: { word: 'Success', icon: 'success', tone: 'good' },
  failure: { word: 'Failure', icon: 'failure', tone: 'bad' },
  cancelled: { word: 'Cancelled', icon: 'cancelled', tone: 'quiet' },
  revoked: { word: 'Revoked', icon: 'cancelled', tone: 'quiet' },
  needs_attention: { word: 'Needs you', icon: 'attention', tone: 'warn' },
  dead_letter: { word: 'Dead letter', icon: 'dead', tone: 'bad' },
  paused: { word: 'Paused', icon: 'pause', tone: 'warn' },
  ok: { word: 'OK', icon: 'success', tone: 'good' },
  degraded: { word: 'Degraded', icon: 'attention', tone: 'bad' },
  unknown: { word: 'Not known yet', icon: 'queued', tone: 'quiet' },
};

/** Returns a status with a shape, a word and a colour. @param word instead of the status's own. */
export function badge(status: string, word?: string): Html {
  const look = LOOKS[status.toLowerCase()] ?? { word: status, icon: 'queued', tone: 'quiet' };
  return html`<span class="badge ${look.tone}">${icon(look.icon)}${word ?? look.word}</span>`;
}

/** Returns the status of a build or a task for people. If it waits for a person, that comes first. */
export function statusBadge({ status, needs_attention = false }: { status: string; needs_attention?: boolean }): Html {
  return badge(needs_attention ? 'needs_attention' : status);
}
