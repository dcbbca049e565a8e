import type { BuildStatus } from '../../contracts/builds/build.ts';
import type { BuildEvent, BuildRequest } from '../../contracts/builds/event.ts';
import { ERASED_TEXT } from '../record/erased.ts';
import { IllegalEvent } from '../record/illegal-event.ts';
import { groupOf } from './concurrency-group.ts';

/** The current state of a build: the sum of its events. */
export interface Build {
  id: number;
  status: BuildStatus;
  workflow_id: string;
  request_key: string;
  fingerprint: string;
  keyed: boolean;
  dedup_until: string;
  caller: string;
  config_id: number;
  config_version: number;
  image_type: string | null;
  fedora_version: string | null;
  priority: number;
  request: BuildRequest;
  /** How it shares its concurrency group; null if it ignores other builds. */
  concurrency: 'queue' | 'cancel_previous' | null;
  /** Its concurrency group ({@link groupOf}); null if it has none: it has no policy, or GitHub ran it again by itself. */
  lane: string | null;
  /** When it was last queued: at its creation or at its last retry. */
  queued_at: string;
  attempts: number;
  needs_attention: boolean;
  dead_lettered: boolean;
  /** The reason why it needs attention or is a dead letter. */
  reason: string | null;
  /** How many times it was retried after a failure. */
  retries: number;
  workflow_run_id: number | null;
  run_url: string | null;
  run_attempt: number | null;
  run_status: string | null;
  conclusion: string | null;
  created_at: string;
  started_at: string | null;
  completed_at: string | null;
  /** When its inputs were erased; null if they were not. */
  erased_at: string | null;
}

/** GitHub's conclusions that do not mean failure. Every other conclusion does, even an unknown one. */
const STATUS_BY_CONCLUSION: ReadonlyMap<string, BuildStatus> = new Map([
  ['success', 'success'],
  ['cancelled', 'cancelled'],
]);

/** Returns the build status that a GitHub conclusion means. */
export function statusOf(conclusion: string): BuildStatus {
  return STATUS_BY_CONCLUSION.get(conclusion) ?? 'failure';
}

/** Events that may still be recorded after the end. */
const AFTER_THE_END: ReadonlySet<BuildEvent['type']> = new Set([
  'build_dead_lettered',
  'dead_letter_discarded',
  'duplicate_run_cancelled',
  'late_run_cancelled',
  'run_left_running',
  'run_doubled',
  'build_retried',
  'build_reopened',
  'build_recovered',
  'callback_delivered',
  'callback_failed',
  'artifacts_recorded',
  'build_erased',
]);

/**
 * Returns the state after an event. Replaying all events of a stream through this gives its projection.
 * @throws {IllegalEvent} if the event cannot follow the state.
 */
export function evolve(build: Build | undefined, event: BuildEvent): Build {
  if (event.type === 'build_queued') {
    if (build) throw new IllegalEvent(`build ${build.id} is queued already`);
    return queued(event);
  }
  if (!build) throw new IllegalEvent(`${event.type} cannot be the first event of a build`);
  const ended = build.completed_at !== null;
  if (ended && !AFTER_THE_END.has(event.type)) {
    throw new IllegalEvent(`build ${build.id} has ended (${build.status}); ${event.type} cannot follow`);
  }
  switch (event.type) {
    case 'build_started':
      return { ...build, status: 'in_progress', started_at: event.occurred_at };
    case 'dispatch_intended':
      return { ...build, attempts: build.attempts + 1, needs_attention: false, reason: null };
    case 'dispatch_rejected':
    case 'dispatch_delayed':
    case 'dispatch_ambiguous':
    case 'dispatch_absent':
    case 'duplicate_run_cancelled':
    case 'late_run_cancelled':
    case 'run_left_running':
    case 'dispatch_withheld':
    case 'run_doubled':
    case 'cancel_requested':
    case 'rerun_intended':
    case 'rerun_ambiguous':
    case 'callback_delivered':
    case 'callback_failed':
    case 'artifacts_recorded':
      return build;
    case 'build_needs_attention':
      return { ...build, needs_attention: true, reason: event.data.reason };
    case 'workflow_triggered':
      return {
        ...build,
        needs_attention: false,
        reason: null,
        workflow_run_id: event.data.workflow_run_id,
        run_url: event.data.run_url,
        run_attempt: 1,
      };
    case 'run_updated':
      return {
        ...build,
        needs_attention: false,
        reason: null,
        run_status: event.data.run_status,
        run_attempt: event.data.run_attempt,
      };
    case 'build_completed':
    case 'build_cancelled':
      return {
        ...build,
        status: statusOf(event.data.conclusion),
        conclusion: event.data.conclusion,
        run_attempt: event.data.run_attempt ?? build.run_attempt,
        needs_attention: false,
        reason: null,
        completed_at: event.occurred_at,
      };
    case 'build_dead_lettered':
      return { ...build, dead_lettered: true, reason: event.data.reason };
    case 'dead_letter_discarded':
      return { ...build, dead_lettered: false, reason: null };
    case 'build_retried':
      return retried(build, event);
    case 'build_reopened':
      return reopened(build, event);
    case 'build_recovered':
      return recovered(build, event);
    case 'build_erased':
      return erased(build, event.occurred_at);
    default:
      return event satisfies never;
  }
}

/** Reopens the build, however it ended: GitHub runs it again, and does not wait for other builds. */
function reopened(build: Build, { data, occurred_at }: Extract<BuildEvent, { type: 'build_reopened' }>): Build {
  const { workflow_run_id, run_attempt, run_status } = data;
  if (build.completed_at === null)
    throw new IllegalEvent(`build ${build.id} is ${build.status} and cannot be reopened`);
  if (build.erased_at !== null) throw new IllegalEvent(`build ${build.id} was erased and cannot be reopened`);
  if (build.workflow_run_id !== workflow_run_id || run_attempt <= (build.run_attempt ?? 0)) {
    throw new IllegalEvent(`build ${build.id} has no later attempt in run ${workflow_run_id}, attempt ${run_attempt}`);
  }
  return {
    ...build,
    status: 'in_progress',
    lane: null,
    run_attempt,
    run_status,
    conclusion: null,
    dead_lettered: false,
    reason: null,
    started_at: occurred_at,
    completed_at: null,
  };
}

/** If the record lost the end before a retry, treats that end as a failure: only failures are retried. */
function recovered(build: Build, { data, occurred_at }: Extract<BuildEvent, { type: 'build_recovered' }>): Build {
  if (data.earlier_run === undefined) return build;
  const run = data.earlier_run ?? { workflow_run_id: null, run_url: null, run_attempt: null };
  return { ...build, ...run, status: 'failure', conclusion: 'unknown', lane: null, completed_at: occurred_at };
}

/** Returns the state that the events give once their values are erased. */
function erased(build: Build, erased_at: string): Build {
  if (build.completed_at === null) throw new IllegalEvent(`build ${build.id} has not ended and cannot be erased`);
  const request = { ...build.request, inputs: {} };
  const reason = build.dead_lettered ? ERASED_TEXT : build.reason;
  return { ...build, image_type: null, fedora_version: null, request, reason, erased_at };
}

function retried(build: Build, { data, occurred_at }: Extract<BuildEvent, { type: 'build_retried' }>): Build {
  const { retry, mode } = data;
  if (build.status !== 'failure')
    throw new IllegalEvent(`build ${build.id} is ${build.status}; only a failure is retried`);
  if (build.erased_at !== null) throw new IllegalEvent(`build ${build.id} was erased and cannot be retried`);
  const run =
    mode === 'redispatch' ? { workflow_run_id: null, run_url: null, run_attempt: null, run_status: null } : {};
  return {
    ...build,
    ...run,
    status: 'queued',
    lane: build.concurrency === null ? null : groupOf(build.request),
    queued_at: occurred_at,
    retries: retry,
    conclusion: null,
    dead_lettered: false,
    reason: null,
    started_at: null,
    completed_at: null,
  };
}

function queued({ data, occurred_at }: Extract<BuildEvent, { type: 'build_queued' }>): Build {
  const { build_id, concurrency = null, callback_origin: _origin, direct: _direct, epoch: _epoch, ...known } = data;
  return {
    ...known,
    id: build_id,
    status: 'queued',
    concurrency,
    lane: concurrency === null ? null : groupOf(known.request),
    queued_at: occurred_at,
    attempts: 0,
    needs_attention: false,
    dead_lettered: false,
    reason: null,
    retries: 0,
    workflow_run_id: null,
    run_url: null,
    run_attempt: null,
    run_status: null,
    conclusion: null,
    created_at: occurred_at,
    started_at: null,
    completed_at: null,
    erased_at: null,
  };
}

/**
 * Says whether a trigger with this build's request key gets this build instead of a new one. With an Idempotency-Key, it always does.
 * Otherwise it does while the build runs and, unless the build failed or was cancelled, until its dedup window ends.
 */
export function replays(build: Pick<Build, 'status' | 'keyed' | 'dedup_until'>, now: string): boolean {
  if (build.keyed || build.status === 'queued' || build.status === 'in_progress') return true;
  return build.status === 'success' && now < build.dedup_until;
}

/**
 * Returns the end of a build's dedup window: until then, a successful build answers equal requests without an Idempotency-Key.
 * @param from milliseconds since 1970.
 */
export function dedupUntil(from: number, windowMs: number): string {
  return new Date(from + windowMs).toISOString();
}
