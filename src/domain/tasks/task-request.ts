import { LIMITS } from '../../contracts/budgets.ts';
import { youtubeVideoId } from '../../contracts/content/youtube-video.ts';
import type { Settings } from '../../contracts/settings.ts';
import { BUILT_IN_TASKS, type BuiltInTask } from '../../contracts/tasks/task-queues.ts';
import { TASK_SIGNATURES, type TaskArguments } from '../../contracts/tasks/task-signatures.ts';
import type { TaskType } from '../../contracts/tasks/task-type.ts';
import type { TaskInput, TaskPolicy } from '../../contracts/tasks/task-workflow.ts';
import { nameUuid } from '../name-uuid.ts';
import { canonicalJson, sha256 } from '../record/hash.ts';

/** A task as it is asked for, by whatever interface. */
export interface TaskRequest {
  name: string;
  args: unknown[];
  kwargs: Record<string, unknown>;
  /** Makes the task once; undefined: an id is made. */
  taskId?: string | undefined;
  /** Default: the queue of its type. */
  queue?: string | undefined;
  /** 0 to 9, the highest first. */
  priority?: number | undefined;
  eta?: Date | undefined;
  expires?: Date | undefined;
  callbackUrl?: string | undefined;
  softLimitMs?: number | undefined;
  hardLimitMs?: number | undefined;
  rootId?: string | undefined;
  parentId?: string | undefined;
  caller: string;
  /** The Idempotency-Key of the request, and the route that it came by. */
  idempotency?: { route: string; key: string } | undefined;
  /** By which interface it came. */
  source: TaskInput['door'];
  /** Whether senders of messages wait for a reply about its end. */
  awaitsReply?: boolean;
  /** What a worker in Python is told of the message that asked for it. */
  message?: TaskInput['message'];
}

/** The task of Hapax that a name means: its own name, also with `tasks.` before it, as modules of Celery apps call it. */
export function builtInTaskOf(given: string): BuiltInTask | undefined {
  const name = given.startsWith('tasks.') ? given.slice('tasks.'.length) : given;
  return BUILT_IN_TASKS.find((known) => known === name);
}

/** What a built-in task gets. */
export type ReadArguments<Name extends BuiltInTask = BuiltInTask> =
  | { arguments: TaskArguments[Name] }
  | { faults: Array<{ path: string; message: string }> };

/** Reads positional and named arguments by the signature of the task; each fault with its place. */
export function readArguments<Name extends BuiltInTask>(
  name: Name,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
): ReadArguments<Name> {
  const signature = TASK_SIGNATURES[name];
  const names = Object.keys(signature.shape);
  const positional = names.slice(0, args.length);
  const faults = positional
    .filter((argument) => Object.hasOwn(kwargs, argument))
    .map((argument) => ({ path: `kwargs.${argument}`, message: 'is also given by position' }));
  if (args.length > names.length) {
    faults.push({ path: 'args', message: `${name} takes ${names.length} arguments: ${names.join(', ')}` });
  }
  if (faults.length > 0) return { faults };
  const given = Object.fromEntries(positional.map((argument, index) => [argument, args[index]]));
  const read = signature.safeParse({ ...kwargs, ...given });
  if (read.success) return { arguments: read.data as TaskArguments[Name] };
  return {
    faults: read.error.issues.map(({ path: [argument = '', ...below], message, ...issue }) => {
      if (issue.code === 'unrecognized_keys') return { path: 'kwargs', message };
      const index = positional.indexOf(String(argument));
      const place = index === -1 ? ['kwargs', argument] : ['args', index];
      return { path: [...place, ...below].join('.'), message };
    }),
  };
}

/** The names of a type's positional arguments, in their order; none where the type is not known. */
export function argumentNames(type: Pick<TaskType, 'parameters'> | undefined): string[] {
  const positional = type?.parameters?.filter(({ kind }) => kind.startsWith('positional'));
  return positional?.map(({ name }) => name) ?? [];
}

/** The arguments of a task by their names, as they were given; undefined where it is not known what they are called. */
export function argumentsByName(
  type: Pick<TaskType, 'parameters'> | undefined,
  { args, kwargs }: Pick<TaskRequest, 'args' | 'kwargs'>,
): Record<string, unknown> | undefined {
  const names = argumentNames(type);
  if (args.length > names.length) return undefined;
  return { ...Object.fromEntries(args.map((value, index) => [names[index], value])), ...kwargs };
}

/** What is wrong with the size of arguments, whatever task they are for. */
export function argumentsFaults(
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
): Array<{ path: string; message: string }> {
  const most = LIMITS.tasks.argumentsCharacters;
  if (JSON.stringify([args, kwargs]).length <= most) return [];
  return [{ path: 'body.kwargs', message: `args and kwargs have more than ${most} characters of JSON` }];
}

/**
 * What makes two requests for tasks the same: SHA-256 of the canonical JSON of the task and its arguments, in whatever way
 * they were given. No id, time, priority or callback is in it.
 * @param callbackUrl only to recognise a task that was made when the URL was a part of it.
 */
export function taskFingerprint(
  name: string,
  given: Readonly<Record<string, unknown>>,
  callbackUrl: string | null = null,
): string {
  return sha256(canonicalJson({ type: 'task', name, arguments: given, callback_url: callbackUrl }));
}

/**
 * The id of a task that is done once by its nature: the same for every form of a video's URL, wherever its callbacks go.
 * Undefined for tasks that are done each time they are asked for.
 */
export function naturalTaskId(name: string, given: Readonly<Record<string, unknown>>): string | undefined {
  if (!isOnceByNature(name)) return undefined;
  const video = youtubeVideoId(String(given.url));
  // The last element was the callback URL, once; null stays, so that the ids of videos without one stay.
  return video === undefined ? undefined : nameUuid(canonicalJson(['ingest_youtube', `yt:${video}`, null]));
}

/** Whether a task that is asked for without an id gets its {@link naturalTaskId}. */
export function isOnceByNature(name: string | undefined): boolean {
  return name === 'ingest_youtube' || name === 'ingest_youtube_with_callback';
}

/** Temporal's priority (1 first, 5 last) of one of Celery's (0 to 9, the highest first); 3 where none is given. */
export function temporalPriority(priority: number | null): number {
  return priority === null ? 3 : 5 - Math.floor(priority / 2);
}

/** What a task runs under: the policy of the settings, with the limits of its own. */
export function policyWithLimits(
  policy: TaskPolicy,
  asked: Pick<TaskInput, 'soft_limit_ms' | 'hard_limit_ms'>,
): TaskPolicy {
  const hard_limit_ms = asked.hard_limit_ms ?? policy.hard_limit_ms;
  const soft_limit_ms = Math.min(asked.soft_limit_ms ?? policy.soft_limit_ms, hard_limit_ms);
  return { ...policy, soft_limit_ms, hard_limit_ms };
}

/** What tasks of a type run under: what the type says, else the settings. */
export function policyOfType(
  policy: TaskPolicy,
  type: Pick<TaskType, 'max_retries' | 'retry_delay' | 'soft_time_limit' | 'time_limit'> | undefined,
): TaskPolicy {
  if (!type) return policy;
  const [soft, hard] = [type.soft_time_limit, type.time_limit].map((limit) => limit && Math.ceil(limit * 1_000));
  const soft_limit_ms = soft ?? policy.soft_limit_ms;
  // One who only asks for a longer soft limit has as long to stop as others.
  const later = soft_limit_ms + (policy.hard_limit_ms - policy.soft_limit_ms);
  return {
    max_retries: type.max_retries ?? policy.max_retries,
    retry_delay_ms: type.retry_delay === null ? policy.retry_delay_ms : Math.ceil(type.retry_delay * 1_000),
    soft_limit_ms,
    hard_limit_ms: hard ?? Math.max(policy.hard_limit_ms, later),
  };
}

/** What tasks run under, as the settings say. */
export function taskPolicyOf(settings: Settings): TaskPolicy {
  return {
    max_retries: settings.TASK_MAX_RETRIES,
    retry_delay_ms: settings.TASK_RETRY_DELAY,
    soft_limit_ms: settings.TASK_SOFT_TIME_LIMIT,
    hard_limit_ms: settings.TASK_TIME_LIMIT,
  };
}
