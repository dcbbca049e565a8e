import { builtInTaskOf } from '../tasks/task-request.ts';

/** The name of a task as Celery apps have it; one that is not ours as it came. */
export function celeryNameOf(name: string): string {
  return builtInTaskOf(name) === name ? `tasks.${name}` : name;
}
