import { nameUuid } from '../../domain/name-uuid.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { builtInTaskOf, naturalTaskId, readArguments } from '../../domain/tasks/task-request.ts';

/** So many strangers may hold ids of one video. */
const MOST_IDS = 10;

/**
 * The id of a task that is done once for what it is about, with the task that has it already; undefined for other tasks. Clients
 * choose ids, so another task may hold it. That one does not stand for the video, which has a row of further ids.
 */
export async function findNaturalTask(
  find: (id: string) => Promise<Task | undefined>,
  name: string,
  given: Readonly<Record<string, unknown>>,
): Promise<{ id: string; known: Task | undefined } | undefined> {
  const first = naturalTaskId(name, given);
  if (first === undefined) return undefined;
  let id = first;
  for (let n = 2; n <= MOST_IDS; n++) {
    const known = await find(id);
    if (!known || naturalIdOf(known) === first) return { id, known };
    id = nameUuid(`${first} ${n}`);
  }
  return { id, known: await find(id) };
}

function naturalIdOf({ name: recorded, args, kwargs }: Task): string | undefined {
  const name = builtInTaskOf(recorded);
  // One that others registered under a longer name is none of ours.
  const read = name === recorded && readArguments(name, args, kwargs);
  return name && read && 'arguments' in read ? naturalTaskId(name, read.arguments) : undefined;
}
