import { nameUuid } from '../../domain/name-uuid.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { builtInTaskOf, isOnceByNature, naturalTaskId, readArguments } from '../../domain/tasks/task-request.ts';

/** How many other tasks may hold ids of one video. */
const MOST_OTHERS = 10;

/**
 * Returns the id of a task that is done once for its subject, with the task that already has it; undefined for other tasks.
 * Clients choose ids, so another task may hold the id. That task does not stand for the video, which then gets a further id. So does a
 * video whose task was erased.
 */
export async function findNaturalTask(
  find: (id: string) => Promise<Task | undefined>,
  name: string,
  given: Readonly<Record<string, unknown>>,
): Promise<{ id: string; known: Task | undefined } | undefined> {
  const first = naturalTaskId(name, given);
  if (first === undefined) return undefined;
  let id = first;
  for (let n = 2, others = 0; ; n++) {
    const known = await find(id);
    if (!known || naturalIdOf(known) === first) return { id, known };
    // An erased task no longer says which video it was for.
    if (!(known.erased_at && isOnceByNature(known.name)) && ++others === MOST_OTHERS) return { id, known };
    id = nameUuid(`${first} ${n}`);
  }
}

function naturalIdOf({ name: recorded, args, kwargs }: Task): string | undefined {
  const name = builtInTaskOf(recorded);
  // If others registered a task under a longer name, it is not ours.
  const read = name === recorded && readArguments(name, args, kwargs);
  return name && read && 'arguments' in read ? naturalTaskId(name, read.arguments) : undefined;
}
