/**
 * What modules in the folder of HAPAX_TASKS import: `import { defineTask, z } from 'hapax/tasks'`.
 */
export { z } from 'zod';
export type { OwnFetchInit, OwnTaskContext, StepContext, TaskDefinition } from '../contracts/tasks/own-task.ts';
export { type DefinedTask, defineTask } from '../domain/tasks/define-task.ts';
export { PermanentTaskError, RetryableTaskError } from '../domain/tasks/task-error.ts';
