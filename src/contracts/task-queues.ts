/**
 * Temporal's task queue of all workflows. The activities of builds are on it too: an activity of the workflow's own queue
 * is handed over in the answer to the workflow task, without a hop through the server.
 */
export const WORKFLOW_TASK_QUEUE = 'hapax-workflows';
