import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import type { TaskEvent } from '../../contracts/tasks/task-event.ts';
import { TASK_WORKFLOW, type TaskInput, type TaskMemo } from '../../contracts/tasks/task-workflow.ts';
import { taskQueuedEvent } from '../../domain/record/first-events.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { temporalPriority } from '../../domain/tasks/task-request.ts';
import { findTask } from '../../store/tasks/task-find.ts';
import { TASKS } from '../../store/tasks/task-stream.ts';
import type { taskRun } from '../../workflows/index.ts';
import type { Kind } from '../lifecycle/kind.ts';
import { callbackMemo, STATUS, startWorkflow } from '../lifecycle/start-workflow.ts';

const TASK_ID = defineSearchAttributeKey('HapaxTaskId', SearchAttributeType.KEYWORD);
const TASK_NAME = defineSearchAttributeKey('HapaxTaskName', SearchAttributeType.KEYWORD);
const QUEUE = defineSearchAttributeKey('HapaxQueue', SearchAttributeType.KEYWORD);

/** How the commands handle tasks. */
export const TASK: Kind<Task, TaskEvent, TaskInput> = {
  stream: TASKS,
  find: findTask,
  idOf: ({ task_id }) => task_id!,
  firstEvent: taskQueuedEvent,
  firstStatus: 'PENDING',
  start(deps, input, reuse) {
    const { task_id, fingerprint, name, queue, callback } = input;
    const memo: TaskMemo = { task_id, fingerprint, ...deps.installation.memo, ...callbackMemo(callback) };
    return startWorkflow<typeof taskRun>(deps, TASK_WORKFLOW, input, reuse, {
      workflowId: input.workflow_id,
      memo: { ...memo },
      priority: { priorityKey: temporalPriority(input.priority) },
      staticSummary: `task ${name} ${task_id}`,
      typedSearchAttributes: new TypedSearchAttributes([
        { key: TASK_ID, value: task_id },
        { key: TASK_NAME, value: name },
        { key: QUEUE, value: queue },
        { key: STATUS, value: 'PENDING' },
      ]),
    });
  },
};
