import type { InstallationMemo, Recovery } from '../builds/build-workflow.ts';
import type { CallbackTarget } from '../endings/callback-workflow.ts';
import type { PythonWork, Replacement } from './python-workflow.ts';
import type { TaskError } from './task-event.ts';
import type { TaskRuntime } from './task-queues.ts';

/** Type name of the task workflow. */
export const TASK_WORKFLOW = 'taskRun';

/** Type names of workflows that run tasks: the current one, and the one that older versions started. */
export const TASK_WORKFLOWS: readonly string[] = [TASK_WORKFLOW, 'task'];

/** Returns the workflow id of a task: one per task id, so that Temporal decides which request was first. */
export function taskWorkflowId(taskId: string): string {
  return `task-${taskId}`;
}

/** Name of the task workflow's signal that revokes the task. */
export const REVOKE_SIGNAL = 'revoke';
export interface Revocation {
  by: string;
  /** Celery's words. `terminated` also asks Celery to stop running work; Hapax stops it either way. */
  reason: 'revoked' | 'terminated';
}

/** Name of the signal that tells a task that the sender of a message waits for its end. */
export const ANSWERED_SIGNAL = 'answered';

/** Value of the search attribute `HapaxStatus` of a workflow that completed without running its task, because another workflow did. */
export const LED_ELSEWHERE = 'led_elsewhere';

/** Dedupe key of the event that ends a task, after the step of its redrive. */
export const ENDED = 'ended';

/** Type of the failure of an attempt. Its details are an {@link AttemptFailure}. */
export const ATTEMPT_FAILED = 'AttemptFailed';

/** Type of the failure of an attempt that could not start before its task expired. */
export const TASK_EXPIRED = 'TaskExpired';

/** Why an attempt failed. */
export interface AttemptFailure {
  error: TaskError;
  /** Whether and when another attempt may help; null: never. It includes arguments if that attempt has different ones. */
  retry: { after_ms: number | null; counted: boolean; args?: unknown[]; kwargs?: Record<string, unknown> } | null;
  /** The last progress that the attempt reported; undefined if none. */
  progress?: unknown;
}

/** The settings that a task runs under, fixed when it is accepted. Durations are in milliseconds. */
export interface TaskPolicy {
  max_retries: number;
  retry_delay_ms: number;
  soft_limit_ms: number;
  hard_limit_ms: number;
}

/** How to run a task again that ended without success. */
export interface Redrive {
  /** The number of this redrive, from 1. */
  redrive: number;
  by: string;
  /** Distinguishes this redrive from another with the same number. Only the one in the record continues. */
  redrive_id: string;
  /** When it was requested, ISO 8601. */
  at: string;
}

/** The parts of a Celery message that are not in {@link TaskInput}. */
export interface MessageToPython {
  headers: Record<string, unknown>;
  reply_to: string | null;
  /** Error links and the chord, as Celery writes them. */
  embed: Record<string, unknown>;
  /** Set if the record counts the chord. */
  chord_counted?: true;
  /** Set if a task that Hapax publishes takes its result. */
  result_passed_on?: true;
}

/** Where a task goes on after one run of its workflow has made many attempts. */
export interface Continued {
  /** The next attempt. */
  attempt: number;
  /** How many attempts counted as retries. */
  retries: number;
  /** The last progress that an attempt reported. */
  progress?: unknown;
  /** Number of the last event that the workflow knows of. */
  after_seq: number;
  /** Set for a task on Python workers. */
  python?: PythonContinued;
}

/** The part of {@link Continued} for a task on Python workers. */
export interface PythonContinued {
  /** The work of the next attempt. Its arguments are left out if they are those of the input. */
  work: Omit<PythonWork, 'args' | 'kwargs'> & Partial<PythonWork>;
  /** How many reports of progress were recorded. */
  reports: number;
  replacement?: Replacement;
}

/** Input of the task workflow. */
export interface TaskInput {
  task_id: string;
  workflow_id: string;
  fingerprint: string;
  caller: string;
  /** The interface that the request came through. */
  door: 'http' | 'flower' | 'amqp' | 'schedule';
  name: string;
  queue: string;
  /** Set if workers in another language do the work. They have their own protocol. */
  runtime?: Extract<TaskRuntime, 'python'>;
  /** The version of its type that the task was accepted under; left out for tasks that are part of Hapax. */
  type_version?: string;
  args: unknown[];
  kwargs: Record<string, unknown>;
  /** Set if no worker had registered its type when it was accepted. The task waits for one. */
  unregistered?: true;
  /** 0 to 9, the highest first. */
  priority: number | null;
  /** The task does not start before `eta` or after `expires`. ISO 8601. */
  eta: string | null;
  expires: string | null;
  /** The task's own limits in milliseconds; null: those of the settings. `policy` has the limits in force. */
  soft_limit_ms: number | null;
  hard_limit_ms: number | null;
  /** The URL to notify when it ends, if any. */
  callback?: CallbackTarget;
  root_id: string | null;
  parent_id: string | null;
  /** When it was accepted; the time of `task_queued`. */
  created_at: string;
  policy: TaskPolicy;
  /** The parts of the message that requested the task, for a worker in Python. */
  message?: MessageToPython;
  /** Set if the sender of a message waits for its end. */
  answered?: true;
  /** Set if the task ended before and this is a redrive. */
  redrive?: Redrive;
  /** Set if the workflow replaces one that was lost. */
  recovery?: Recovery;
  /** Epoch of the installation that accepted the task. */
  epoch?: number;
  /** Set if this run goes on where another run of the workflow left off. */
  continued?: Continued;
}

/** Memo of the task workflow: what a duplicate request can learn from Temporal alone. */
export interface TaskMemo extends InstallationMemo {
  task_id: string;
  fingerprint: string;
  /** Digest of its callback URL, which identifies a repeated request. */
  callback_digest?: string;
}
