import type { InstallationMemo, Recovery } from '../builds/build-workflow.ts';
import type { CallbackTarget } from '../endings/callback-workflow.ts';
import type { TaskError } from './task-event.ts';
import type { TaskRuntime } from './task-queues.ts';

/** Type name of the task workflow. */
export const TASK_WORKFLOW = 'taskRun';

/** Type names of workflows that lead tasks: of those that there are now, and of those that began under an earlier version. */
export const TASK_WORKFLOWS: readonly string[] = [TASK_WORKFLOW, 'task'];

/** Workflow id of a task: one per task id, so that Temporal decides who was first. */
export function taskWorkflowId(taskId: string): string {
  return `task-${taskId}`;
}

/** Name of the task workflow's signal and what it carries. */
export const REVOKE_SIGNAL = 'revoke';
export interface Revocation {
  by: string;
  /** Celery's words: `terminated` asks for running work to be stopped too. Here it is stopped either way. */
  reason: 'revoked' | 'terminated';
}

/** Name of the signal that tells a task that the sender of a message waits for its end. */
export const ANSWERED_SIGNAL = 'answered';

/** Value of the search attribute `HapaxStatus` of a workflow that completed without leading its task, which another did. */
export const LED_ELSEWHERE = 'led_elsewhere';

/** Dedupe key of the event that ends a task, behind the step of its redrive. */
export const ENDED = 'ended';

/** Type of the failure of an attempt; its details are an {@link AttemptFailure}. */
export const ATTEMPT_FAILED = 'AttemptFailed';

/** Type of the failure of an attempt that could not begin before its task expired. */
export const TASK_EXPIRED = 'TaskExpired';

/** Why an attempt failed. */
export interface AttemptFailure {
  error: TaskError;
  /** Whether and when another attempt may help; null: never. With arguments where that one has others. */
  retry: { after_ms: number | null; counted: boolean; args?: unknown[]; kwargs?: Record<string, unknown> } | null;
  /** The last progress that the attempt reported; undefined if none. */
  progress?: unknown;
}

/** The settings a task runs under, fixed when it is accepted. Durations in milliseconds. */
export interface TaskPolicy {
  max_retries: number;
  retry_delay_ms: number;
  soft_limit_ms: number;
  hard_limit_ms: number;
}

/** How a task that ended without success is begun again. */
export interface Redrive {
  /** Which one this is, from 1. */
  redrive: number;
  by: string;
  /** Distinguishes this redrive from another of the same number; only the one in the record goes on. */
  redrive_id: string;
  /** When it was asked for, ISO 8601. */
  at: string;
}

/** What a message of Celery says beside what {@link TaskInput} has. */
export interface MessageToPython {
  headers: Record<string, unknown>;
  reply_to: string | null;
  /** Error links and the chord, as Celery writes them. */
  embed: Record<string, unknown>;
  /** Set where the record counts the chord. */
  chord_counted?: true;
}

/** Input of the task workflow. */
export interface TaskInput {
  task_id: string;
  workflow_id: string;
  fingerprint: string;
  caller: string;
  /** By which interface it came. */
  door: 'http' | 'flower' | 'amqp' | 'schedule';
  name: string;
  queue: string;
  /** Set where workers in another language do the work: they have a protocol of their own. */
  runtime?: Extract<TaskRuntime, 'python'>;
  /** The version of its type that the task was accepted under; left out for the tasks of Hapax itself. */
  type_version?: string;
  args: unknown[];
  kwargs: Record<string, unknown>;
  /** Set where no worker had registered its type when it was accepted: it waits for one. */
  unregistered?: true;
  /** 0 to 9, the highest first. */
  priority: number | null;
  /** Not to begin before, and not after: ISO 8601. */
  eta: string | null;
  expires: string | null;
  /** The task's own limits, milliseconds; null: those of the settings. `policy` has the limits in force. */
  soft_limit_ms: number | null;
  hard_limit_ms: number | null;
  /** Whom to tell of its end, if anybody. */
  callback?: CallbackTarget;
  root_id: string | null;
  parent_id: string | null;
  /** When it was accepted; the time of `task_queued`. */
  created_at: string;
  policy: TaskPolicy;
  /** What a worker in Python is told of the message that asked for the task. */
  message?: MessageToPython;
  /** Set if a sender of a message waits for its end. */
  answered?: true;
  /** Set where the task ended before and is begun again. */
  redrive?: Redrive;
  /** Set where the workflow takes the place of one that was lost. */
  recovery?: Recovery;
  /** Epoch of the installation that accepted the task. */
  epoch?: number;
}

/** Memo of the task workflow: what a duplicate learns from Temporal alone. */
export interface TaskMemo extends InstallationMemo {
  task_id: string;
  fingerprint: string;
  /** Digest of the URL of its callback, by which the same request is known again. */
  callback_digest?: string;
}
