import { html } from 'hono/html';
import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { TaskEventType } from '../../contracts/tasks/task-event.ts';
import type { Html, View } from '../view.ts';
import { time } from './time.ts';
import { CALLBACK_LOOKS, ERASED_LOOK, type Look, timelineEvent } from './timeline-event.ts';

const DOORS: Readonly<Record<string, string>> = { http: 'HTTP', flower: 'the Flower API', amqp: 'RabbitMQ' };

const REVOKED: Readonly<Record<string, (by: unknown) => string>> = {
  revoked: (by) => `Revoked by ${by} before it started`,
  terminated: (by) => `Revoked by ${by}`,
  expired: () => 'It expired before it started',
};

/** How the timeline shows each event of a task. */
const LOOKS: Record<TaskEventType, Look> = {
  task_queued: {
    icon: 'queued',
    tone: 'quiet',
    says: ({ caller, door, queue }) =>
      `Accepted over ${DOORS[String(door)] ?? door} from ${caller === 'local' ? 'this machine' : caller}, for the queue ${queue}`,
  },
  task_received: { icon: 'waiting', tone: 'quiet', says: () => 'Handed to its queue' },
  task_started: { icon: 'running', tone: 'busy', says: ({ attempt, worker }) => `Try ${attempt} started at ${worker}` },
  task_progressed: { icon: 'running', tone: 'busy', says: ({ state, meta }) => progressLine(state, meta) },
  task_retried: {
    icon: 'retry',
    tone: 'warn',
    says: ({ attempt, counted, error }) => `Try ${attempt} ${counted ? 'failed' : 'must wait'}: ${errorLine(error)}`,
  },
  task_succeeded: { icon: 'success', tone: 'good', says: () => 'Succeeded' },
  task_failed: { icon: 'failure', tone: 'bad', says: ({ error }) => `Failed: ${errorLine(error)}` },
  task_revoked: {
    icon: 'cancelled',
    tone: 'quiet',
    says: ({ reason, by }) => (REVOKED[String(reason)] ?? (() => `Revoked: ${reason}`))(by),
  },
  task_dead_lettered: { icon: 'dead', tone: 'bad', says: ({ reason }) => `It is a dead letter: ${reason}` },
  dead_letter_discarded: { icon: 'dead', tone: 'quiet', says: ({ by }) => `Discarded as a dead letter by ${by}` },
  task_redriven: {
    icon: 'retry',
    tone: 'busy',
    says: ({ redrive, by }) => `Queued again by ${by}, redrive ${redrive}`,
  },
  task_recovered: { icon: 'retry', tone: 'warn', says: ({ detail }) => `Recovered: ${detail}` },
  task_erased: ERASED_LOOK,
  ...CALLBACK_LOOKS,
};

function errorLine(error: unknown): string {
  const { type, message } = error as { type: string; message: string };
  const line = message.split('\n', 1)[0] ?? '';
  return `${type}${line === '' ? '' : `: ${line.length > 300 ? `${line.slice(0, 300).toWellFormed()}…` : line}`}`;
}

/** Returns a state of the task's own with its data, in one line. */
function progressLine(state: unknown, meta: unknown): string {
  const said = JSON.stringify(meta);
  return `${state}: ${said.length <= 200 ? said : `${said.slice(0, 200)}…`}`;
}

/** Returns one event of a task in its timeline. @param before the event before it. */
export function taskEvent(view: View, event: RecordedEvent, before: RecordedEvent | undefined): Html {
  const { type, data } = event;
  const { icon, tone, says } = LOOKS[type as TaskEventType];
  const next = type === 'task_retried' ? data.retry_at : type === 'callback_failed' ? data.next_at : undefined;
  const evidence =
    typeof next === 'string' ? [html`<span><span class="name">next try</span> ${time(view, next)}</span>`] : [];
  return timelineEvent(view, event, before, { icon, tone, says: says(data), evidence });
}
