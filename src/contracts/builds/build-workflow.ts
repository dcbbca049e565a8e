import type { CallbackTarget } from '../endings/callback-workflow.ts';
import type { KnownRun } from '../github/github.ts';
import type { BuildRequest } from './event.ts';

/** Type name of the build workflow and the prefix of its ids. */
export const BUILD_WORKFLOW = 'build';

/** Returns the workflow id of the build with a request key. */
export function buildWorkflowId(requestKey: string): string {
  return `build-${requestKey}`;
}

/** Names of the build workflow's signals. */
export const BUILD_SIGNALS = {
  ...{ adopt: 'adopt', retry: 'retry', cancel: 'cancel', runChanged: 'run_changed' },
  /** Sent by the request that made the build, once its direct dispatch is done. */
  dispatched: 'dispatched',
} as const;

/** Value of `temporal_run_id` in the intent of a direct dispatch, in place of the workflow run that may send it. */
export const DIRECT_INTENT = 'direct';

/** Name of the signal that makes the workflow of a build or task record all its events again. */
export const TELL_AGAIN_SIGNAL = 'tell_again';

/** The arguments of each signal. */
export interface SignalArguments {
  /** `run_url` is accepted and ignored. */
  adopt: { run_id: number; run_url?: string };
  /** With `build_id`, the signal is for that build only. Another build may have followed it under the same workflow id. */
  cancel: { by?: string; build_id?: number };
  /** `run_attempt`: the attempt that changed; left out: any attempt. */
  runChanged: { run_id: number; run_attempt?: number; delivery_id: string };
}

/** The settings that a build runs under, fixed when it is triggered. Durations are in milliseconds. */
export interface BuildPolicy {
  /** Workflow input that carries the token; empty for none. */
  correlation_input: string;
  reconcile_window_ms: number;
  deadline_ms: number;
  max_retries: number;
  retry_delay_ms: number;
  poll_interval_ms: number;
  request_timeout_ms: number;
}

/** How to retry a failed build. */
export interface Resumption {
  /** The number of this retry, from 1. */
  retry: number;
  mode: 'rerun_failed' | 'rerun' | 'redispatch';
  by: string;
  /** Distinguishes this retry from another with the same number. Only the one in the record continues. */
  retry_id: string;
  /** When it was requested, ISO 8601. */
  at: string;
  /** The run of the build; null if it has none. */
  run: KnownRun | null;
}

/** Why a workflow checks whether somebody reran an ended run on GitHub itself. */
export interface Reopening {
  /** The run of the build. */
  run: KnownRun;
  /** The delivery id of the webhook that reported it, or the epoch in which Hapax found it. */
  delivery_id: string;
  /** Left out: a webhook. */
  learned_from?: 'reconcile';
  /** The attempt that the record says was started. Set only if the workflow that followed it was lost. */
  recorded_attempt?: number;
}

/** Why a workflow replaces one that Temporal lost. The record says how far the lost one got. */
export interface Recovery {
  /** Distinguishes this recovery from another of the same build or task. */
  id: string;
  /** When Hapax found that it was lost, ISO 8601. */
  at: string;
  detail: string;
}

/** How a build continues after Temporal lost its workflow. */
export interface BuildRecovery extends Recovery {
  /** The record may have lost events as well, so Hapax may have sent requests that it no longer knows about. */
  record_set_back: boolean;
  /** The person or program that had cancelled the build, if any. */
  cancelled_by?: string;
}

/** Input of the build workflow. */
export interface BuildInput {
  build_id: number;
  workflow_id: string;
  request_key: string;
  fingerprint: string;
  keyed: boolean;
  caller: string;
  config_id: number;
  config_version: number;
  image_type: string | null;
  fedora_version: string | null;
  priority: number;
  request: BuildRequest;
  /** Set if builds of this repository, workflow and ref run one at a time. */
  concurrency?: 'queue' | 'cancel_previous';
  /** When the trigger was accepted; the time of `build_queued`. */
  created_at: string;
  /** Until when the workflow stays open after a success, so that an equal request finds it. */
  dedup_until: string;
  policy: BuildPolicy;
  /** The URL to notify when it ends, if any. */
  callback?: CallbackTarget;
  /** Set if the build failed before and this is a retry. */
  resume?: Resumption;
  /** Set if the build has ended and somebody may have rerun its run. The workflow asks GitHub; if nobody did, nothing happens. */
  reopen?: Reopening;
  /** Set if the workflow replaces one that was lost. */
  recovery?: BuildRecovery;
  /** Epoch of the installation that accepted the build. */
  epoch?: number;
  /** The request that made the build sends its first dispatch, unless the workflow records an intent first. */
  direct?: true;
}

/** Memo of the build workflow: what a duplicate request can learn from Temporal alone. */
export interface BuildMemo extends InstallationMemo {
  build_id: number;
  fingerprint: string;
  /** Digest of its callback URL, which identifies a repeated request. */
  callback_digest?: string;
}

/** The installation that started a workflow; left out if the installation did not know its identity yet. */
export interface InstallationMemo {
  installation?: string;
  epoch?: number;
}

/** Result of the build workflow. */
export interface BuildResult {
  build_id: number;
  status: string;
  conclusion: string;
  run_url: string | null;
}
