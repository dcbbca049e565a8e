import type { TaskName } from '../../contracts/tasks/task-queues.ts';
import type { TaskArguments } from '../../contracts/tasks/task-signatures.ts';
import { nameUuid } from '../../domain/name-uuid.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { naturalTaskId, readArguments, taskNameOf } from '../../domain/tasks/task-request.ts';
import type { Db } from '../../store/database.ts';
import { findTask } from '../../store/tasks/task-find.ts';
import { knownSoon } from '../lifecycle/record-soon.ts';

/** So many strangers may hold ids of one video. */
const MOST_IDS = 10;

/**
 * The id of a task that is done once for what it is about; undefined for other tasks. Clients choose ids, so another task may
 * hold it. That one does not stand for the video, which has a row of further ids.
 */
export async function freeNaturalId(
  db: Db,
  name: TaskName,
  given: TaskArguments[TaskName],
): Promise<string | undefined> {
  const first = naturalTaskId(name, given);
  if (first === undefined) return undefined;
  let id = first;
  for (let n = 2; n <= MOST_IDS; n++) {
    const holder = await knownSoon(findTask(db, id));
    if (!holder || naturalIdOf(holder) === first) return id;
    id = nameUuid(`${first} ${n}`);
  }
  return id;
}

function naturalIdOf({ name: recorded, args, kwargs }: Task): string | undefined {
  const name = taskNameOf(recorded);
  const read = name && readArguments(name, args, kwargs);
  return name && read && 'arguments' in read ? naturalTaskId(name, read.arguments) : undefined;
}
