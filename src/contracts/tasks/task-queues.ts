/**
 * Temporal's task queue of all workflows. The activities of builds are on it too: an activity of the workflow's own queue
 * is handed over in the answer to the workflow task, without a hop through the server.
 */
export const WORKFLOW_TASK_QUEUE = 'hapax-workflows';

/** Task queue of the activities that send callbacks. It is separate so that slow receivers hold up no other work. */
export const CALLBACK_TASK_QUEUE = 'hapax-callbacks';

/** Task queue of the activities that tell senders of messages how their tasks ended: only the bridge can. */
export const ANSWER_TASK_QUEUE = 'hapax-bridge';

/** The queue of all workflows, with the activities of builds, by the name that settings use. */
export const WORKFLOW_QUEUE = 'workflows';

/** Queues of what tells others about endings: callbacks, and the bridge's answers to senders of messages. */
export const TELLING_QUEUES = ['callbacks', 'bridge'] as const;
export type TellingQueue = (typeof TELLING_QUEUES)[number];

/** Names that no queue of tasks can have. `hapax-workers` is the roll call of processes; builds are shown among the queues. */
export const RESERVED_QUEUES: readonly string[] = [WORKFLOW_QUEUE, ...TELLING_QUEUES, 'builds', 'workers'];

/**
 * What the name of a queue of tasks looks like: it is a part of Temporal's task queue, a queue of RabbitMQ, and a part of a path.
 * `@` is left out: it sets apart the task queues of one process and those of a runtime.
 */
export const QUEUE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.:-]*$/;

/** What runs the code of a task: Hapax itself, a module of the user's in a worker of ours, or a worker in Python. */
export const TASK_RUNTIMES = ['built-in', 'typescript', 'python'] as const;
export type TaskRuntime = (typeof TASK_RUNTIMES)[number];

/**
 * Temporal's task queue of a queue. Others may use the same namespace: hence the prefix. Workers in Python have task queues of
 * their own, so that they and ours can serve a queue of one name, each with its tasks.
 */
export function taskQueueOf(queue: string, runtime: TaskRuntime = 'built-in'): string {
  return runtime === 'python' ? `hapax-python@${queue}` : `hapax-${queue}`;
}

/** The tasks that Hapax brings along, and the queue that each goes to. */
export const QUEUE_OF_BUILT_IN = {
  ingest_youtube: 'youtube',
  ingest_youtube_with_callback: 'youtube',
  ingest_url: 'content',
  process_content: 'content',
  semantic_search: 'search',
} as const satisfies Record<string, string>;

export type BuiltInTask = keyof typeof QUEUE_OF_BUILT_IN;
export const BUILT_IN_TASKS = Object.keys(QUEUE_OF_BUILT_IN) as [BuiltInTask, ...BuiltInTask[]];

/** The queues of these tasks: they are always there. */
export const BUILT_IN_QUEUES = ['youtube', 'content', 'search'] as const satisfies ReadonlyArray<
  (typeof QUEUE_OF_BUILT_IN)[BuiltInTask]
>;
