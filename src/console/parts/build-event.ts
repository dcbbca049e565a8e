import { html } from 'hono/html';
import type { RunArtifacts } from '../../contracts/builds/artifact.ts';
import type { BuildEventType, RecordedEvent } from '../../contracts/builds/event.ts';
import type { Html, View } from '../view.ts';
import { counted } from './time.ts';
import { CALLBACK_LOOKS, ERASED_LOOK, type Look, timelineEvent } from './timeline-event.ts';

/** How the timeline shows each event of a build. */
const LOOKS: Record<BuildEventType, Look> = {
  build_queued: {
    icon: 'queued',
    tone: 'quiet',
    says: ({ caller }) => `Accepted from ${caller === 'local' ? 'this machine' : caller}`,
  },
  build_started: { icon: 'running', tone: 'busy', says: () => 'Its turn came' },
  dispatch_intended: {
    icon: 'trigger',
    tone: 'busy',
    says: ({ attempt }) => `Dispatch ${attempt} is about to be sent`,
  },
  dispatch_rejected: {
    icon: 'failure',
    tone: 'bad',
    says: ({ status, message }) => `GitHub refused it with ${status}: ${message}`,
  },
  dispatch_delayed: { icon: 'waiting', tone: 'warn', says: ({ reason }) => `Not sent yet: ${reason}` },
  dispatch_ambiguous: {
    icon: 'attention',
    tone: 'warn',
    says: ({ reason }) => `No clear response: ${reason}`,
  },
  dispatch_absent: {
    icon: 'search',
    tone: 'quiet',
    says: ({ complete_reads }) => `No run was made, by ${complete_reads} complete readings of the runs`,
  },
  dispatch_withheld: {
    icon: 'waiting',
    tone: 'busy',
    says: () => 'Hapax would send the dispatch now; another program does',
  },
  run_doubled: {
    icon: 'attention',
    tone: 'warn',
    says: ({ workflow_run_id }) => `The other program also made run ${workflow_run_id} for the same request`,
  },
  build_needs_attention: { icon: 'attention', tone: 'warn', says: ({ reason }) => `A person must decide: ${reason}` },
  workflow_triggered: {
    icon: 'success',
    tone: 'busy',
    says: ({ workflow_run_id, learned_from }) =>
      learned_from === 'listing' ? `Another program made run ${workflow_run_id}` : `GitHub made run ${workflow_run_id}`,
  },
  run_updated: {
    icon: 'running',
    tone: 'busy',
    says: ({ run_status, run_attempt }) => `The run is ${words(run_status)}${attempt(run_attempt)}`,
  },
  late_run_cancelled: {
    icon: 'cancelled',
    tone: 'warn',
    says: ({ workflow_run_id }) =>
      `Run ${workflow_run_id} of a dispatch that was given up came late, and was cancelled`,
  },
  duplicate_run_cancelled: {
    icon: 'cancelled',
    tone: 'warn',
    says: ({ workflow_run_id }) => `Run ${workflow_run_id} was one too many, and was cancelled`,
  },
  run_left_running: {
    icon: 'running',
    tone: 'warn',
    says: ({ workflow_run_id, reason }) =>
      `Run ${workflow_run_id} ${reason === 'late' ? 'came late' : 'was one too many'}, and its forge cannot stop it`,
  },
  build_completed: {
    icon: 'success',
    tone: 'good',
    says: ({ conclusion, run_attempt }) => `Ended: ${words(conclusion)}${attempt(run_attempt)}`,
  },
  cancel_requested: { icon: 'cancelled', tone: 'quiet', says: ({ by }) => `Cancel requested by ${by}` },
  build_cancelled: { icon: 'cancelled', tone: 'quiet', says: () => 'Cancelled' },
  build_dead_lettered: { icon: 'dead', tone: 'bad', says: ({ reason }) => `It is a dead letter: ${reason}` },
  dead_letter_discarded: { icon: 'dead', tone: 'quiet', says: ({ by }) => `Discarded as a dead letter by ${by}` },
  build_retried: {
    icon: 'retry',
    tone: 'busy',
    says: ({ retry, mode, by }) => `Retry ${retry} (${words(mode)}) by ${by}`,
  },
  build_reopened: {
    icon: 'retry',
    tone: 'busy',
    says: ({ run_attempt }) => `Somebody ran it again at GitHub${attempt(run_attempt)}`,
  },
  rerun_intended: {
    icon: 'trigger',
    tone: 'busy',
    says: ({ failed_jobs_only }) =>
      `A re-run of ${failed_jobs_only ? 'the failed jobs' : 'the run'} is about to be sent`,
  },
  rerun_ambiguous: {
    icon: 'attention',
    tone: 'warn',
    says: ({ reason }) => `No clear response to the re-run: ${reason}`,
  },
  artifacts_recorded: {
    icon: 'success',
    tone: 'quiet',
    says: (data) => {
      const { artifacts, left_out, unavailable } = data as unknown as RunArtifacts;
      const left = `The run left ${counted(artifacts.length + left_out, 'artifact')}`;
      return unavailable === null ? left : `${left}; the forge did not tell all: ${unavailable}`;
    },
  },
  build_recovered: { icon: 'retry', tone: 'warn', says: ({ detail }) => `Recovered: ${detail}` },
  build_erased: ERASED_LOOK,
  ...CALLBACK_LOOKS,
};

function words(value: unknown): string {
  return String(value).replaceAll('_', ' ');
}

function attempt(value: unknown): string {
  return typeof value === 'number' && value > 1 ? `, attempt ${value}` : '';
}

/** The evidence for an event: how Hapax learned it, and the ids under which GitHub finds the exchange. */
const EVIDENCE: ReadonlyArray<[field: string, label: string]> = [
  ['learned_from', 'learned from'],
  ['request_id', 'GitHub request'],
  ['delivery_id', 'delivery'],
  ['webhook_id', 'webhook id'],
  ['token', 'token'],
  ['detail', 'detail'],
];

/** Returns one event of a build in its timeline, with its evidence. @param before the event before it. */
export function buildEvent(view: View, event: RecordedEvent, before: RecordedEvent | undefined): Html {
  const { type, data } = event;
  const look = LOOKS[type as BuildEventType];
  const failed = type === 'build_completed' && data.conclusion !== 'success';
  const evidence = EVIDENCE.flatMap(([field, label]) =>
    typeof data[field] === 'string' && !(field === 'detail' && type === 'build_recovered')
      ? [html`<span><span class="name">${label}</span> <code>${data[field]}</code></span>`]
      : [],
  );
  return timelineEvent(view, event, before, {
    icon: failed ? 'failure' : look.icon,
    tone: failed ? 'bad' : look.tone,
    says: look.says(data),
    evidence,
  });
}
