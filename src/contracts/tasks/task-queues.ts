/**
 * Temporal's task queue of all workflows, and of the activities of builds. Temporal returns an activity on the workflow's own queue in the
 * response to the workflow task, which saves a trip through the server.
 */
export const WORKFLOW_TASK_QUEUE = 'hapax-workflows';

/** Task queue of the activities that send callbacks. It is separate so that slow receivers hold up no other work. */
export const CALLBACK_TASK_QUEUE = 'hapax-callbacks';

/** Task queue of the activities that reply to the senders of messages when their tasks have ended. Only the bridge can do that. */
export const ANSWER_TASK_QUEUE = 'hapax-bridge';

/** The queue of all workflows and of the activities of builds, by the name that settings use. */
export const WORKFLOW_QUEUE = 'workflows';

/** Queues of the work that reports ends: callbacks, and the bridge's replies to senders of messages. */
export const TELLING_QUEUES = ['callbacks', 'bridge'] as const;
export type TellingQueue = (typeof TELLING_QUEUES)[number];

/** Names that a queue of tasks cannot have. `hapax-workers` lists the worker processes; builds are shown among the queues. */
export const RESERVED_QUEUES: readonly string[] = [WORKFLOW_QUEUE, ...TELLING_QUEUES, 'builds', 'workers'];

/**
 * Pattern of the name of a queue of tasks. The name is part of Temporal's task queue, a queue in RabbitMQ, and part of a path. `@` is
 * excluded because it marks the task queues of one process and those of a runtime.
 */
export const QUEUE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.:-]*$/;

/** The runtimes of tasks: Hapax itself, a module of the user in one of Hapax's workers, or a worker in Python. */
export const TASK_RUNTIMES = ['built-in', 'typescript', 'python'] as const;
export type TaskRuntime = (typeof TASK_RUNTIMES)[number];

/**
 * Returns Temporal's task queue of a queue. It has a prefix because others may use the same namespace. Workers in Python have their own
 * task queues, so that they and Hapax's workers can serve a queue of the same name, each with its own tasks.
 */
export function taskQueueOf(queue: string, runtime: TaskRuntime = 'built-in'): string {
  return runtime === 'python' ? `hapax-python@${queue}` : `hapax-${queue}`;
}

/** The tasks that are part of Hapax, and the queue of each. */
export const QUEUE_OF_BUILT_IN = {
  ingest_youtube: 'youtube',
  ingest_youtube_with_callback: 'youtube',
  ingest_url: 'content',
  process_content: 'content',
  semantic_search: 'search',
} as const satisfies Record<string, string>;

export type BuiltInTask = keyof typeof QUEUE_OF_BUILT_IN;
export const BUILT_IN_TASKS = Object.keys(QUEUE_OF_BUILT_IN) as [BuiltInTask, ...BuiltInTask[]];

/** The queues of these tasks, which always exist. */
export const BUILT_IN_QUEUES = ['youtube', 'content', 'search'] as const satisfies ReadonlyArray<
  (typeof QUEUE_OF_BUILT_IN)[BuiltInTask]
>;
