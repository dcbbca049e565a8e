import type { z } from 'zod';

/** Logs a message, with fields that help to understand it. */
type Log = (message: string, more?: Record<string, unknown>) => void;

/** The argument of a step's function. */
export interface StepContext {
  /** The same each time the step runs: give it to services that take idempotency keys. */
  idempotencyToken: string;
  signal: AbortSignal;
}

/** The second argument of `run` of a task in TypeScript: facts about the attempt, and functions for it. */
export interface OwnTaskContext {
  taskId: string;
  /** The number of this attempt, from 1. A redrive starts at 1 again. */
  attempt: number;
  /** The same in every attempt and redrive of the task: give it to services that take idempotency keys. */
  idempotencyToken: string;
  /**
   * Aborted when the work has to stop: at the soft time limit, or when the task is revoked or the worker stops. Pass it to
   * every call that takes long.
   */
  signal: AbortSignal;
  /** The last progress that an attempt of the task reported, even if its worker was lost; undefined at first. */
  progress: unknown;
  /** Reports progress: small JSON. */
  heartbeat(progress: unknown): void;
  log: { debug: Log; info: Log; warn: Log; error: Log };
  /** Works like `fetch`, but only calls public addresses and hosts in TASK_ALLOWED_HOSTS. It is aborted with the attempt. */
  fetch(url: string | URL, init?: OwnFetchInit): Promise<Response>;
  /**
   * Does something once for the task: later attempts and redrives get the kept result, which must be JSON. If the worker is lost
   * after the work and before the result is kept, the work runs again, with the same token.
   */
  step<Result>(name: string, work: (context: StepContext) => Result | Promise<Result>): Promise<Result>;
}

/** The options of `fetch` that `context.fetch` accepts. */
export interface OwnFetchInit {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  signal?: AbortSignal;
  /** Default: redirects of GET and HEAD are followed. */
  redirect?: 'follow' | 'manual';
}

/** A task in TypeScript, as a module of HAPAX_TASKS exports it. */
export interface TaskDefinition<Arguments extends z.ZodObject = z.ZodObject, Result = unknown> {
  /** The name that senders use, such as `mail.send`. */
  name: string;
  /** Default: `tasks`. */
  queue?: string;
  /** What it does, in one line. */
  description?: string;
  /** Its arguments by name. Positional arguments have the same order. */
  arguments: Arguments;
  /** After this time, an attempt is asked to stop and is retried: seconds, or a text such as `5m`. Default: TASK_SOFT_TIME_LIMIT. */
  softTimeLimit?: number | string;
  /** After this time the task fails: seconds, or a text such as `10m`. Default: TASK_TIME_LIMIT. */
  timeLimit?: number | string;
  /** How often a failed attempt is retried. Default: TASK_MAX_RETRIES. */
  retries?: number;
  /** Pause before the first retry, which doubles each time. Default: TASK_RETRY_DELAY. */
  retryDelay?: number | string;
  /** How many tasks of this type each worker starts, such as `10/m`. Default: no limit. */
  rateLimit?: string;
  /**
   * Does the work. It may run again, after a failure or a lost worker. It returns the result: JSON of at most 1 MB. If another attempt
   * cannot help, throw a PermanentTaskError; after any other error, the task is retried.
   */
  run(args: z.output<Arguments>, context: OwnTaskContext): Result | Promise<Result>;
}
