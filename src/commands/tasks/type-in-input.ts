import type { TaskType } from '../../contracts/tasks/task-type.ts';
import type { TaskInput } from '../../contracts/tasks/task-workflow.ts';

/**
 * Returns what the input of a task's workflow says about its type; nothing for the tasks of Hapax itself.
 * @param type undefined: not registered.
 */
export function typeInInput(
  type: TaskType | undefined,
  accepted: string | null,
): Pick<TaskInput, 'runtime' | 'type_version' | 'unregistered'> {
  if (!type) return { unregistered: true };
  if (type.runtime === 'built-in') return {};
  return {
    ...(type.runtime === 'python' ? { runtime: 'python' } : {}),
    ...(accepted === null ? {} : { type_version: accepted }),
  };
}
