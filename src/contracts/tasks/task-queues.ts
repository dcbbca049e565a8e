/**
 * Temporal's task queue of all workflows. The activities of builds are on it too: an activity of the workflow's own queue
 * is handed over in the answer to the workflow task, without a hop through the server.
 */
export const WORKFLOW_TASK_QUEUE = 'hapax-workflows';

/** Task queue of the activities that send callbacks. It is separate so that slow receivers hold up no other work. */
export const CALLBACK_TASK_QUEUE = 'hapax-callbacks';

/** Task queue of the activities that tell senders of messages how their tasks ended: only the bridge can. */
export const ANSWER_TASK_QUEUE = 'hapax-bridge';

/** The queues of tasks, by the names that producers use. */
export const TASK_QUEUE_NAMES = ['youtube', 'content', 'search'] as const;
export type TaskQueueName = (typeof TASK_QUEUE_NAMES)[number];

/** What a worker can serve: all workflows with the activities of builds, and the tasks of each queue. */
export const WORKER_QUEUE_NAMES = ['workflows', ...TASK_QUEUE_NAMES] as const;
export type WorkerQueueName = (typeof WORKER_QUEUE_NAMES)[number];

/** Queues of what tells others about endings: callbacks, and the bridge's answers to senders of messages. */
export const TELLING_QUEUE_NAMES = ['callbacks', 'bridge'] as const;
export type TellingQueueName = (typeof TELLING_QUEUE_NAMES)[number];

/** All queues that anybody polls. */
export const QUEUE_NAMES = [...WORKER_QUEUE_NAMES, ...TELLING_QUEUE_NAMES] as const;
export type QueueName = (typeof QUEUE_NAMES)[number];

/** Temporal's task queue of a queue. Others may use the same namespace: hence the prefix. */
export function taskQueueOf(queue: QueueName): string {
  return `hapax-${queue}`;
}

/** The tasks, and the queue that each goes to. */
export const QUEUE_OF_TASK = {
  ingest_youtube: 'youtube',
  ingest_youtube_with_callback: 'youtube',
  ingest_url: 'content',
  process_content: 'content',
  semantic_search: 'search',
} as const satisfies Record<string, TaskQueueName>;

export type TaskName = keyof typeof QUEUE_OF_TASK;
export const TASK_NAMES = Object.keys(QUEUE_OF_TASK) as [TaskName, ...TaskName[]];
