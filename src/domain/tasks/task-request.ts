import { LIMITS } from '../../contracts/budgets.ts';
import { youtubeVideoId } from '../../contracts/content/youtube-video.ts';
import type { Settings } from '../../contracts/settings.ts';
import { BUILT_IN_TASKS, type BuiltInTask } from '../../contracts/tasks/task-queues.ts';
import { TASK_SIGNATURES, type TaskArguments } from '../../contracts/tasks/task-signatures.ts';
import type { TaskType } from '../../contracts/tasks/task-type.ts';
import type { TaskInput, TaskPolicy } from '../../contracts/tasks/task-workflow.ts';
import { nameUuid } from '../name-uuid.ts';
import { canonicalJson, sha256 } from '../record/hash.ts';

/** A request for a task, from any interface. */
export interface TaskRequest {
  name: string;
  args: unknown[];
  kwargs: Record<string, unknown>;
  /** Id under which the task is made only once; if undefined, Hapax makes an id. */
  taskId?: string | undefined;
  /** Default: the queue of its type. */
  queue?: string | undefined;
  /** 0 to 9, highest first. */
  priority?: number | undefined;
  eta?: Date | undefined;
  expires?: Date | undefined;
  callbackUrl?: string | undefined;
  softLimitMs?: number | undefined;
  hardLimitMs?: number | undefined;
  rootId?: string | undefined;
  parentId?: string | undefined;
  caller: string;
  /** The Idempotency-Key and the route of the request. */
  idempotency?: { route: string; key: string } | undefined;
  /** The interface that it came through. */
  source: TaskInput['door'];
  /** Whether senders of messages wait for a reply when it ends. */
  awaitsReply?: boolean;
  /** The parts of the requesting message that a Python worker gets. */
  message?: TaskInput['message'];
}

/** Returns the built-in task that a name means. The name may begin with `tasks.`, as modules of Celery apps write it. */
export function builtInTaskOf(given: string): BuiltInTask | undefined {
  const name = given.startsWith('tasks.') ? given.slice('tasks.'.length) : given;
  return BUILT_IN_TASKS.find((known) => known === name);
}

/** The arguments of a built-in task, or their faults. */
export type ReadArguments<Name extends BuiltInTask = BuiltInTask> =
  | { arguments: TaskArguments[Name] }
  | { faults: Array<{ path: string; message: string }> };

/** Reads positional and named arguments by the signature of the task. Returns each fault with its place. */
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

/** Returns the names of a type's positional arguments in order; none if the type is unknown. */
export function argumentNames(type: Pick<TaskType, 'parameters'> | undefined): string[] {
  const positional = type?.parameters?.filter(({ kind }) => kind.startsWith('positional'));
  return positional?.map(({ name }) => name) ?? [];
}

/**
 * Returns the same arguments, by name as far as they have one. A positional-only argument has none. Where more arguments are given than
 * the type names, all of them keep their position.
 */
export function namedArguments(
  type: Pick<TaskType, 'parameters'> | undefined,
  { args, kwargs }: Pick<TaskRequest, 'args' | 'kwargs'>,
): Pick<TaskRequest, 'args' | 'kwargs'> {
  const names = argumentNames(type);
  if (args.length > names.length) return { args, kwargs };
  const nameless = type?.parameters?.filter(({ kind }) => kind === 'positional_only').length ?? 0;
  const named = args.slice(nameless).map((value, index) => [names[nameless + index], value]);
  return { args: args.slice(0, nameless), kwargs: { ...Object.fromEntries(named), ...kwargs } };
}

/** Checks the size of arguments, for any task. */
export function argumentsFaults(
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
): Array<{ path: string; message: string }> {
  const most = LIMITS.tasks.argumentsCharacters;
  if (JSON.stringify([args, kwargs]).length <= most) return [];
  return [{ path: 'body.kwargs', message: `args and kwargs have more than ${most} characters of JSON` }];
}

/**
 * Returns a digest that is the same for equal requests for tasks: SHA-256 of the canonical JSON of the task and its arguments,
 * however they were given. It leaves out ids, times, priorities and callbacks.
 * @param callbackUrl only to recognise a task that was made when the URL was part of the digest.
 */
export function taskFingerprint(
  name: string,
  given: Readonly<Record<string, unknown>>,
  callbackUrl: string | null = null,
): string {
  return sha256(canonicalJson({ type: 'task', name, arguments: given, callback_url: callbackUrl }));
}

/**
 * Returns the id of a task that runs once by its nature: the same for every form of a video's URL, wherever its callbacks go.
 * Undefined for tasks that run each time they are requested.
 */
export function naturalTaskId(name: string, given: Readonly<Record<string, unknown>>): string | undefined {
  if (!isOnceByNature(name)) return undefined;
  const video = youtubeVideoId(String(given.url));
  // The last element used to be the callback URL. It stays null, so that the ids of videos without one stay the same.
  return video === undefined ? undefined : nameUuid(canonicalJson(['ingest_youtube', `yt:${video}`, null]));
}

/** Says whether a task that is requested without an id gets its {@link naturalTaskId}. */
export function isOnceByNature(name: string | undefined): boolean {
  return name === 'ingest_youtube' || name === 'ingest_youtube_with_callback';
}

/** Returns Temporal's priority (1 first, 5 last) for one of Celery's (0 to 9, highest first); 3 if none is given. */
export function temporalPriority(priority: number | null): number {
  return priority === null ? 3 : 5 - Math.floor(priority / 2);
}

/** Returns the policy of a task: the given policy, with the task's own limits. */
export function policyWithLimits(
  policy: TaskPolicy,
  asked: Pick<TaskInput, 'soft_limit_ms' | 'hard_limit_ms'>,
): TaskPolicy {
  const hard_limit_ms = asked.hard_limit_ms ?? policy.hard_limit_ms;
  const soft_limit_ms = Math.min(asked.soft_limit_ms ?? policy.soft_limit_ms, hard_limit_ms);
  return { ...policy, soft_limit_ms, hard_limit_ms };
}

/** Returns the policy of a task type: what the type says, else the given policy. */
export function policyOfType(
  policy: TaskPolicy,
  type: Pick<TaskType, 'max_retries' | 'retry_delay' | 'soft_time_limit' | 'time_limit'> | undefined,
): TaskPolicy {
  if (!type) return policy;
  const [soft, hard] = [type.soft_time_limit, type.time_limit].map((limit) => limit && Math.ceil(limit * 1_000));
  const soft_limit_ms = soft ?? policy.soft_limit_ms;
  // A type that sets only a longer soft limit gets as long to stop as others.
  const later = soft_limit_ms + (policy.hard_limit_ms - policy.soft_limit_ms);
  return {
    max_retries: type.max_retries ?? policy.max_retries,
    retry_delay_ms: type.retry_delay === null ? policy.retry_delay_ms : Math.ceil(type.retry_delay * 1_000),
    soft_limit_ms,
    hard_limit_ms: hard ?? Math.max(policy.hard_limit_ms, later),
  };
}

/** Returns the policy of tasks that the settings define. */
export function taskPolicyOf(settings: Settings): TaskPolicy {
  return {
    max_retries: settings.TASK_MAX_RETRIES,
    retry_delay_ms: settings.TASK_RETRY_DELAY,
    soft_limit_ms: settings.TASK_SOFT_TIME_LIMIT,
    hard_limit_ms: settings.TASK_TIME_LIMIT,
  };
}
