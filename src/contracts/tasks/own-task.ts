import type { z } from 'zod';

/** Text, and what else helps to understand it. */
type Log = (message: string, more?: Record<string, unknown>) => void;

/** What a step is told. */
export interface StepContext {
  /** The same each time the step is done again: give it to services that take idempotency keys. */
  idempotencyToken: string;
  signal: AbortSignal;
}

/** What the code of an own task knows of the attempt that it runs in. */
export interface OwnTaskContext {
  taskId: string;
  /** Which attempt this is, from 1, since the task was begun or begun again. */
  attempt: number;
  /** The same in every attempt and redrive of the task: give it to services that take idempotency keys. */
  idempotencyToken: string;
  /**
   * Aborted when the work has to stop: at the soft time limit, or when the task is revoked or the worker stops. Pass it on to
   * everything that takes long.
   */
  signal: AbortSignal;
  /** The last progress that an attempt reported, also one whose worker was lost; undefined at first. */
  progress: unknown;
  /** Reports progress: small JSON. */
  heartbeat(progress: unknown): void;
  log: { debug: Log; info: Log; warn: Log; error: Log };
  /** `fetch`, to addresses of the public internet and hosts of TASK_ALLOWED_HOSTS only. It stops with the attempt. */
  fetch(url: string | URL, init?: OwnFetchInit): Promise<Response>;
  /**
   * Does something once in the life of the task: later attempts, and redrives, get the result that was kept. A result is JSON.
   * If the worker is lost between the work and the keeping of its result, the work is done again, with the same token.
   */
  step<Result>(name: string, work: (context: StepContext) => Result | Promise<Result>): Promise<Result>;
}

/** What `context.fetch` takes of the options of `fetch`. */
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
  /** The name that it is sent by, such as `mail.send`. */
  name: string;
  /** Default: `tasks`. */
  queue?: string;
  /** What it does, in one line. */
  description?: string;
  /** Its arguments by name; their order is that of positional ones. */
  arguments: Arguments;
  /** After this time an attempt is asked to stop, and is retried: seconds, or a text such as `5m`. Default: TASK_SOFT_TIME_LIMIT. */
  softTimeLimit?: number | string;
  /** After this time the task fails: seconds, or a text such as `10m`. Default: TASK_TIME_LIMIT. */
  timeLimit?: number | string;
  /** How often a failed attempt is retried. Default: TASK_MAX_RETRIES. */
  retries?: number;
  /** Pause before the first retry, which doubles each time. Default: TASK_RETRY_DELAY. */
  retryDelay?: number | string;
  /** How fast each worker begins tasks of this type, such as `10/m`. Default: no limit. */
  rateLimit?: string;
  /**
   * Does the work; it may run again after a failure or a lost worker. What it returns is the result: JSON, at most 1 MB. Throw a
   * PermanentTaskError if another attempt cannot help; after anything else the task is retried.
   */
  run(args: z.output<Arguments>, context: OwnTaskContext): Result | Promise<Result>;
}
