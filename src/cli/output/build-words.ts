import type { BuildSummary } from '../../contracts/builds/build.ts';
import type { EventView } from '../../contracts/builds/event.ts';
import { inOneLine, type Tone } from './screen.ts';

/** An event in words. */
export interface Told {
  text: string;
  /** More that it says: a reason, a link. */
  detail?: string | undefined;
  tone?: Tone | undefined;
}

const TONES: Record<string, Tone> = {
  queued: 'faint',
  in_progress: 'busy',
  success: 'good',
  failure: 'bad',
  cancelled: 'warn',
  SUCCESS: 'good',
  FAILURE: 'bad',
  REVOKED: 'warn',
  STARTED: 'busy',
  RETRY: 'warn',
};
export const toneOf = (status: string): Tone | undefined => TONES[status];

/** Returns the status as a list shows it. A build that waits for a person says so. */
export function statusOf({ status, conclusion, needs_attention }: BuildSummary): {
  text: string;
  tone: Tone | undefined;
} {
  if (needs_attention) return { text: 'needs attention', tone: 'warn' };
  const text = status === 'failure' && conclusion && conclusion !== 'failure' ? conclusion : status;
  return { text, tone: toneOf(status) };
}

type Data = Record<string, unknown>;
const learned = (data: Data) => (data.learned_from ? `learned from ${data.learned_from}` : undefined);

const WORDS: Record<string, (data: Data) => Told> = {
  build_queued: ({ request }) => ({
    text: 'queued',
    detail: valuesOf(request, 'repository', 'workflow', 'ref').join(' '),
  }),
  build_started: () => ({ text: 'started', tone: 'busy' }),
  dispatch_intended: ({ attempt }) => ({
    text: 'dispatching',
    detail: attempt === 1 ? undefined : `attempt ${attempt}`,
  }),
  dispatch_delayed: ({ reason, retry_at }) => ({
    text: 'dispatch waits',
    detail: `${reason}; next try ${retry_at}`,
    tone: 'warn',
  }),
  dispatch_ambiguous: ({ reason }) => ({
    text: 'no clear response; looking for the run',
    detail: `${reason}`,
    tone: 'warn',
  }),
  dispatch_withheld: () => ({ text: 'another program sends the dispatch', tone: 'busy' }),
  run_doubled: (data) => ({
    text: `run ${data.workflow_run_id} is one too many`,
    detail: `${data.run_url}`,
    tone: 'warn',
  }),
  dispatch_absent: () => ({ text: 'there is no run; dispatching again', tone: 'warn' }),
  dispatch_rejected: ({ message }) => ({ text: 'GitHub rejected the dispatch', detail: `${message}`, tone: 'bad' }),
  build_needs_attention: ({ reason }) => ({ text: 'needs attention', detail: `${reason}`, tone: 'warn' }),
  workflow_triggered: (data) => ({ text: `run ${data.workflow_run_id}`, detail: learned(data) }),
  run_updated: (data) => ({
    text: `run is ${String(data.run_status).replaceAll('_', ' ')}`,
    detail: learned(data),
    tone: 'busy',
  }),
  build_completed: (data) => ({
    text: `${data.conclusion}`,
    detail: (data.detail as string) ?? learned(data),
    tone: data.conclusion === 'success' ? 'good' : 'bad',
  }),
  build_cancelled: (data) => ({ text: 'cancelled', detail: (data.detail as string) ?? learned(data), tone: 'warn' }),
  cancel_requested: ({ by }) => ({ text: 'cancel requested', detail: `by ${by}`, tone: 'warn' }),
  build_retried: ({ mode, by }) => ({ text: `retried (${mode})`, detail: `by ${by}` }),
  build_dead_lettered: ({ reason }) => ({ text: 'dead letter', detail: `${reason}`, tone: 'bad' }),
  artifacts_recorded: ({ artifacts, unavailable }) => ({
    text: `artifacts: ${Array.isArray(artifacts) ? artifacts.length : 0}`,
    detail: unavailable ? `${unavailable}` : undefined,
  }),
  task_queued: ({ name, queue }) => ({ text: 'queued', detail: `${name} in ${queue}` }),
  task_received: () => ({ text: 'handed to its queue' }),
  task_started: ({ attempt, worker }) => ({ text: 'started', detail: `attempt ${attempt} on ${worker}`, tone: 'busy' }),
  task_progressed: ({ state, meta }) => ({ text: `${state}`, detail: JSON.stringify(meta), tone: 'busy' }),
  task_retried: ({ error, retry_at }) => ({
    text: 'will be retried',
    detail: `${errorOf(error)}; next try ${retry_at}`,
    tone: 'warn',
  }),
  task_succeeded: () => ({ text: 'succeeded', tone: 'good' }),
  task_failed: ({ error }) => ({ text: 'failed', detail: errorOf(error), tone: 'bad' }),
  task_revoked: ({ reason, by }) => ({ text: `${reason}`, detail: `by ${by}`, tone: 'warn' }),
  task_dead_lettered: ({ reason }) => ({ text: 'dead letter', detail: `${reason}`, tone: 'bad' }),
  task_redriven: ({ by }) => ({ text: 'started again', detail: `by ${by}` }),
};

/** Returns the members that an object has. Another version of the server may leave some out. */
function valuesOf(value: unknown, ...names: string[]): string[] {
  const object = (value ?? {}) as Data;
  return names.flatMap((name) => (object[name] === undefined ? [] : [String(object[name])]));
}

function errorOf(error: unknown): string {
  return valuesOf(error, 'type', 'message').join(': ');
}

/** Returns an event in words. A type that is newer than this client is shown by its name. */
export function wordsOf({ event_type, event_data = {} }: EventView): Told {
  const known = WORDS[event_type]?.(event_data);
  const { text, detail, tone }: Told = known ?? { text: event_type.replaceAll('_', ' '), detail: plainOf(event_data) };
  return { text, detail: detail && inOneLine(detail), tone };
}

/** Returns the plain members of an event, as `name=value`. */
export function plainOf(data: Data): string {
  return Object.entries(data)
    .filter(([, value]) => value !== null && typeof value !== 'object')
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
