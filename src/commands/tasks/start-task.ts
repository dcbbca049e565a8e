import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import { TASK_WORKFLOW, type TaskInput, type TaskMemo } from '../../contracts/tasks/task-workflow.ts';
import { temporalPriority } from '../../domain/tasks/task-request.ts';
import type { task } from '../../workflows/index.ts';
import {
  callbackMemo,
  firstOf,
  type Reuse,
  STATUS,
  type StartDependencies,
  startedFirst,
} from '../builds/start-build.ts';

const TASK_ID = defineSearchAttributeKey('HapaxTaskId', SearchAttributeType.KEYWORD);
const TASK_NAME = defineSearchAttributeKey('HapaxTaskName', SearchAttributeType.KEYWORD);
const QUEUE = defineSearchAttributeKey('HapaxQueue', SearchAttributeType.KEYWORD);

/** Starts the workflow of a task; false where its id is taken, which Temporal alone decides. */
export function startTask(
  { client, workerBeside, installation }: StartDependencies,
  input: TaskInput,
  reuse: Reuse,
): Promise<boolean> {
  const { task_id, fingerprint, name, queue } = input;
  const memo: TaskMemo = { task_id, fingerprint, ...installation.memo, ...callbackMemo(input.callback) };
  return startedFirst(client, () =>
    client.workflow.start<typeof task>(TASK_WORKFLOW, {
      ...firstOf({ workerBeside }, reuse),
      workflowId: input.workflow_id,
      args: [input],
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
