import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import { WORKFLOW_TASK_QUEUE } from '../../contracts/task-queues.ts';
import { TASK_WORKFLOW, type TaskInput, type TaskMemo } from '../../contracts/task-workflow.ts';
import { temporalPriority } from '../../domain/task-request.ts';
import type { task } from '../../workflows/index.ts';
import { STATUS, type StartDependencies, startedFirst } from './start-build.ts';

const TASK_ID = defineSearchAttributeKey('HapaxTaskId', SearchAttributeType.KEYWORD);
const TASK_NAME = defineSearchAttributeKey('HapaxTaskName', SearchAttributeType.KEYWORD);
const QUEUE = defineSearchAttributeKey('HapaxQueue', SearchAttributeType.KEYWORD);

/**
 * Starts the workflow of a task; false where its id is taken, which Temporal alone decides.
 * @param reuse whether a closed workflow of this id may be followed by another.
 */
export function startTask(
  { client, workerBeside }: StartDependencies,
  input: TaskInput,
  reuse: 'REJECT_DUPLICATE' | 'ALLOW_DUPLICATE',
): Promise<boolean> {
  const { task_id, fingerprint, name, queue } = input;
  const memo: TaskMemo = { task_id, fingerprint };
  return startedFirst(client, () =>
    client.workflow.start<typeof task>(TASK_WORKFLOW, {
      workflowId: input.workflow_id,
      taskQueue: WORKFLOW_TASK_QUEUE,
      args: [input],
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: reuse,
      requestEagerStart: workerBeside,
      memo: { ...memo },
      priority: { priorityKey: temporalPriority(input.priority) },
      staticSummary: `task ${name} ${task_id}`,
      typedSearchAttributes: new TypedSearchAttributes([
        { key: TASK_ID, value: task_id },
        { key: TASK_NAME, value: name },
        { key: QUEUE, value: queue },
        { key: STATUS, value: 'PENDING' },
      ]),
    }),
  );
}
