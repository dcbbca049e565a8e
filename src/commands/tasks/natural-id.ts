import { youtubeVideoId } from '../../contracts/content/youtube-video.ts';
import { contentIdOfVideo } from '../../domain/content/content-id.ts';
import { nameUuid } from '../../domain/name-uuid.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { builtInTaskOf, isOnceByNature, naturalTaskId, readArguments } from '../../domain/tasks/task-request.ts';

/** How many other tasks may hold ids of one video. */
const MOST_OTHERS = 10;

/**
 * Returns the id of a task that is done once for its subject, with the task that already has it; undefined for other tasks.
 * Clients choose ids, so another task may hold the id. That task does not stand for the video, which then gets a further id. So does a
 * video whose task or content was erased.
 * @param isContentErased says whether a content was erased; undefined if nobody can say.
 */
export async function findNaturalTask(
  find: (id: string) => Promise<Task | undefined>,
  name: string,
  given: Readonly<Record<string, unknown>>,
  isContentErased: (contentId: string) => Promise<boolean | undefined>,
): Promise<{ id: string; known: Task | undefined } | undefined> {
  const first = naturalTaskId(name, given);
  if (first === undefined) return undefined;
  const contentId = contentIdOfVideo(youtubeVideoId(String(given.url))!);
  let id = first;
  for (let n = 2, others = 0; ; n++) {
    const known = await find(id);
    const isOurs = known && naturalIdOf(known) === first;
    if (!known || (isOurs && !(known.status === 'SUCCESS' && (await isContentErased(contentId))))) return { id, known };
    // An erased task no longer says which video it was for.
    if (!isOurs && !(known.erased_at && isOnceByNature(known.name)) && ++others === MOST_OTHERS) return { id, known };
    id = nameUuid(`${first} ${n}`);
  }
}

function naturalIdOf({ name: recorded, args, kwargs }: Task): string | undefined {
  const name = builtInTaskOf(recorded);
  // If others registered a task under a longer name, it is not ours.
  const read = name === recorded && readArguments(name, args, kwargs);
  return name && read && 'arguments' in read ? naturalTaskId(name, read.arguments) : undefined;
}
