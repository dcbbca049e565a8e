import { builtInTaskOf } from '../tasks/task-request.ts';

/** Returns the name of a task as Celery apps have it. Names that are not ours stay as they came. */
export function celeryNameOf(name: string): string {
  return builtInTaskOf(name) === name ? `tasks.${name}` : name;
}
