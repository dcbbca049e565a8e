import type { TaskCode } from '../activities/task-code.ts';
import type { Tracing } from '../contracts/tracing/tracing.ts';

/** Returns the same tasks, which also trace the work of each attempt, with its error. */
export function traceCode(code: TaskCode, tracing: Tracing): TaskCode {
  return {
    find(name) {
      const task = code.find(name);
      return (
        task && {
          run: (asked, context) =>
            tracing.within(
              {
                name: `run ${name}`,
                kind: 'internal',
                attributes: { 'hapax.task.id': asked.task_id, 'hapax.task.attempt': asked.attempt },
              },
              () => task.run(asked, context),
            ),
        }
      );
    },
  };
}
