import type { Db } from '../database.ts';
import { findByStreams, type ListedDeadLetter } from './dead-letter-list.ts';

/** Lists which of these are still dead letters, newest first. @param ids streams; others are ignored. */
export async function listDeadLettersById(db: Db, ids: readonly string[]): Promise<ListedDeadLetter[]> {
  const sound = ids.filter((id) => !id.includes('\u0000'));
  const found = await findByStreams(db, sound);
  return [...found.values()].filter(isDead).sort((a, b) => (listedAt(a) < listedAt(b) ? 1 : -1));
}

function isDead(letter: ListedDeadLetter): boolean {
  switch (letter.kind) {
    case 'build':
      return letter.build.dead_lettered || letter.build.needs_attention;
    case 'task':
      return letter.task.dead_lettered;
    case 'message':
      return letter.message.settled === null;
    default:
      return letter satisfies never;
  }
}

/** Returns the time that dead letters are sorted by: when a build or task was accepted, or a message refused. */
export function listedAt(letter: ListedDeadLetter): string {
  switch (letter.kind) {
    case 'build':
      return letter.build.created_at;
    case 'task':
      return letter.task.created_at;
    case 'message':
      return letter.message.created_at;
    default:
      return letter satisfies never;
  }
}
