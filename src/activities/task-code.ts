import { BUILT_IN_TASKS, type BuiltInTask } from '../contracts/tasks/task-queues.ts';
import type { TaskArguments } from '../contracts/tasks/task-signatures.ts';
import { PermanentTaskError } from '../domain/tasks/task-error.ts';
import { readArguments } from '../domain/tasks/task-request.ts';
import { databaseFault } from '../store/database.ts';
import { StoreFault } from '../store/store-fault.ts';
import type { TaskPort } from '../workflows/ports/tasks.ts';
import type { TaskContext, TaskHandlers } from './task-handlers.ts';

/** What an attempt is asked to do. */
export type TaskAsked = Pick<
  Parameters<TaskPort['runTask']>[0],
  'task_id' | 'name' | 'type_version' | 'args' | 'kwargs' | 'attempt' | 'step'
>;

/** A task that a worker can run. */
export interface RunnableTask {
  /**
   * Does the work of an attempt. @throws {PermanentTaskError} {RetryableTaskError} or anything else, as handlers do.
   * @throws {StoreFault} while a store of Hapax is away. The task is not at fault then.
   */
  run(asked: TaskAsked, context: TaskContext): Promise<unknown>;
}

/** The tasks that a worker can run, by name. Undefined for those that another worker runs. */
export interface TaskCode {
  find(name: string): RunnableTask | undefined;
}

/** Returns the tasks of Hapax itself. */
export function builtInCode(handlers: TaskHandlers): TaskCode {
  const runnable = new Map<string, RunnableTask>(BUILT_IN_TASKS.map((name) => [name, builtIn(name, handlers[name])]));
  return { find: (name) => runnable.get(name) };
}

function builtIn<Name extends BuiltInTask>(name: Name, handler: TaskHandlers[Name]): RunnableTask {
  return {
    async run({ args, kwargs }, context) {
      const read = readArguments(name, args, kwargs);
      if ('faults' in read) throw argumentsRefused(read.faults);
      const handle = handler as (given: TaskArguments[Name], context: TaskContext) => Promise<unknown>;
      return callStores(() => handle(read.arguments, context));
    },
  };
}

/**
 * Calls stores of Hapax for a task. @throws {StoreFault} if one of them is away; other errors unchanged. The code of a user may have a
 * database of its own, whose errors look the same, so only these calls tell whose database is away.
 */
export async function callStores<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    const fault = databaseFault(error);
    if (fault?.kind === 'away') throw new StoreFault(fault.store, 'away', fault.message, error);
    throw error;
  }
}

/** Returns the error for arguments that do not fit. Another attempt cannot help. */
export function argumentsRefused(faults: ReadonlyArray<{ path: string; message: string }>): PermanentTaskError {
  const message = faults.map((fault) => `${fault.path}: ${fault.message}`).join('; ');
  return new PermanentTaskError({ type: 'TypeError', message });
}
