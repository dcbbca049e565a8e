import type { CallbackTarget } from '../endings/callback-workflow.ts';
import type { KnownRun } from '../github/github.ts';
import type { BuildRequest } from './event.ts';

/** Type name of the build workflow and the prefix of its ids. */
export const BUILD_WORKFLOW = 'build';

/** Workflow id of the build with a request key. */
export function buildWorkflowId(requestKey: string): string {
  return `build-${requestKey}`;
}

/** Names of the build workflow's signals. */
export const BUILD_SIGNALS = {
  ...{ adopt: 'adopt', retry: 'retry', cancel: 'cancel', runChanged: 'run_changed' },
  /** The request that made the build is done with its direct dispatch. */
  dispatched: 'dispatched',
} as const;

/** Stands in the intent of a direct dispatch, in the place of the workflow run that may send it. */
export const DIRECT_INTENT = 'direct';

/** Name of the signal that has a build or task tell the record again all that its workflow has told. */
export const TELL_AGAIN_SIGNAL = 'tell_again';

/** What each signal carries. */
export interface SignalArguments {
  /** The address that counts is GitHub's own; one that is given is taken, and not looked at. */
  adopt: { run_id: number; run_url?: string };
  /** With `build_id` it is meant for that build only: another may have followed it under the same workflow id. */
  cancel: { by?: string; build_id?: number };
  /** `run_attempt`: the attempt that changed; any where it is left out. */
  runChanged: { run_id: number; run_attempt?: number; delivery_id: string };
}

/** The settings a build runs under, fixed when it is triggered. Durations in milliseconds. */
export interface BuildPolicy {
  /** Input that carries the token; empty for none. */
  correlation_input: string;
  reconcile_window_ms: number;
  deadline_ms: number;
  max_retries: number;
  retry_delay_ms: number;
  poll_interval_ms: number;
  request_timeout_ms: number;
}

/** How a failed build is begun again. */
export interface Resumption {
  /** Which retry this is, from 1. */
  retry: number;
  mode: 'rerun_failed' | 'rerun' | 'redispatch';
  by: string;
  /** Distinguishes this retry from another of the same number; only the one in the record goes on. */
  retry_id: string;
  /** When it was asked for, ISO 8601. */
  at: string;
  /** The run of the build; null where it has none. */
  run: KnownRun | null;
}

/** Why to look whether an ended run was run again on GitHub itself. */
export interface Reopening {
  /** The run of the build. */
  run: KnownRun;
  /** Of the webhook that told of it. */
  delivery_id: string;
  /** The attempt that the record says was begun; set only where the workflow that followed it was lost. */
  recorded_attempt?: number;
}

/** Why a workflow is started in place of one that Temporal lost. The record says how far the lost one was. */
export interface Recovery {
  /** Distinguishes this recovery from another of the same build or task. */
  id: string;
  /** When it was found to be lost, ISO 8601. */
  at: string;
  detail: string;
}

/** How a build goes on whose workflow Temporal lost. */
export interface BuildRecovery extends Recovery {
  /** The record may have lost events as well, so requests may have been sent that it does not know of. */
  record_set_back: boolean;
  /** Who had cancelled the build, where somebody had. */
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
  /** Set where builds of this repository, workflow and ref take turns. */
  concurrency?: 'queue' | 'cancel_previous';
  /** When the trigger was accepted; the time of `build_queued`. */
  created_at: string;
  /** Until when the workflow stays open after success, so that an equal request finds it. */
  dedup_until: string;
  policy: BuildPolicy;
  /** Whom to tell how it ended, if anybody. */
  callback?: CallbackTarget;
  /** Set where the build failed before and is begun again. */
  resume?: Resumption;
  /** Set where the build has ended and its run may have been run again: GitHub is asked, and if it was not, nothing happens. */
  reopen?: Reopening;
  /** Set where the workflow takes the place of one that was lost. */
  recovery?: BuildRecovery;
  /** Epoch of the installation that accepted the build. */
  epoch?: number;
  /** The request that made the build sends its first dispatch, unless the workflow records an intent before it does. */
  direct?: true;
}

/** Memo of the build workflow: what a duplicate learns from Temporal alone. */
export interface BuildMemo extends InstallationMemo {
  build_id: number;
  fingerprint: string;
  /** Digest of the URL of its callback, by which the same request is known again. */
  callback_digest?: string;
}

/** Which installation started a workflow; left out where it did not know yet. */
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
