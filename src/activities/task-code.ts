import { BUILT_IN_TASKS, type BuiltInTask } from '../contracts/tasks/task-queues.ts';
import type { TaskArguments } from '../contracts/tasks/task-signatures.ts';
import { PermanentTaskError } from '../domain/tasks/task-error.ts';
import { readArguments } from '../domain/tasks/task-request.ts';
import type { TaskPort } from '../workflows/ports/tasks.ts';
import type { TaskContext, TaskHandlers } from './task-handlers.ts';

/** What is asked of an attempt. */
export type TaskAsked = Pick<
  Parameters<TaskPort['runTask']>[0],
  'task_id' | 'name' | 'type_version' | 'args' | 'kwargs' | 'attempt' | 'step'
>;

/** A task that a worker can run. */
export interface RunnableTask {
  /** Does the work of an attempt. @throws {PermanentTaskError} {RetryableTaskError} or anything else, as handlers do. */
  run(asked: TaskAsked, context: TaskContext): Promise<unknown>;
}

/** The tasks that a worker can run, by name. Undefined of those that another worker runs. */
export interface TaskCode {
  find(name: string): RunnableTask | undefined;
}

/** The tasks that Hapax brings along. */
export function builtInCode(handlers: TaskHandlers): TaskCode {
  const runnable = new Map<string, RunnableTask>(BUILT_IN_TASKS.map((name) => [name, builtIn(name, handlers[name])]));
  return { find: (name) => runnable.get(name) };
}

function builtIn<Name extends BuiltInTask>(name: Name, handler: TaskHandlers[Name]): RunnableTask {
  return {
    async run({ args, kwargs }, context) {
      const read = readArguments(name, args, kwargs);
      if ('faults' in read) throw argumentsRefused(read.faults);
      return (handler as (given: TaskArguments[Name], context: TaskContext) => Promise<unknown>)(
        read.arguments,
        context,
      );
    },
  };
}

/** Another attempt cannot help. */
export function argumentsRefused(faults: ReadonlyArray<{ path: string; message: string }>): PermanentTaskError {
  const message = faults.map((fault) => `${fault.path}: ${fault.message}`).join('; ');
  return new PermanentTaskError({ type: 'TypeError', message });
}
