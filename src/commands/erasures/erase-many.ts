import { ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Logger } from 'pino';
import type { ErasureBody } from '../../contracts/erasures/erasure.ts';
import type { ContentStore } from '../../store/content/content-store.ts';
import { findMessagesWithText, findStreamsOfCaller, findStreamsWithText } from '../../store/erasures/erasable-find.ts';
import { type ManyOutcome, operateMany } from '../lifecycle/operate-many.ts';
import { type EraseDependencies, erase } from './erase.ts';

export interface EraseManyDependencies extends EraseDependencies {
  content: Pick<ContentStore, 'find' | 'erase' | 'findWithText'>;
  log: Logger;
}

/** Id of the schedule whose sweep deletes the documents of erased content. */
const SWEEP = 'hapax-sweep-expired';

/**
 * Finds the data that a request is about: all that it names, or at most `limit` that match. Builds and tasks that have not ended come
 * last, since their erasure is refused.
 * @returns also whether more match, so that another request erases more. If nothing but what has not ended is left, it would not.
 */
export async function findErasable(
  { db, content }: EraseManyDependencies,
  { ids, text, caller, limit }: Omit<ErasureBody, 'dry_run'>,
): Promise<{ found: string[]; more: boolean }> {
  if (ids) return { found: [...new Set(ids)], more: false };
  const most = limit + 1;
  const { ended, open } =
    caller === undefined ? await findStreamsWithText(db, text!, most) : await findStreamsOfCaller(db, caller, most);
  const ready = [...ended];
  if (text !== undefined) {
    const contents = await content.findWithText(text, most);
    const messages = await findMessagesWithText(db, text, most);
    ready.push(...contents.map((id) => `content:${id}`), ...messages.map((id) => `message:${id}`));
  }
  const found = [...ready, ...open];
  return { found: found.slice(0, limit), more: ready.length > 0 && found.length > limit };
}

/** Erases the data of these, some at a time. If one is refused, the others go on. @throws {Refusal} 503 */
export async function eraseMany(
  deps: EraseManyDependencies,
  ids: readonly string[],
  by: string,
): Promise<ManyOutcome<string>> {
  const outcome = await operateMany(ids, (id) => erase(deps, id, by));
  if (outcome.done.some((id) => id.startsWith('content:'))) await sweepSoon(deps);
  return outcome;
}

/** Starts the sweep that deletes the documents. If Temporal is away, the next sweep deletes them, at most an hour later. */
async function sweepSoon({ client, log }: EraseManyDependencies): Promise<void> {
  await client.schedule
    .getHandle(SWEEP)
    .trigger(ScheduleOverlapPolicy.BUFFER_ONE)
    .catch((err: unknown) => {
      if (!(err instanceof ScheduleNotFoundError))
        log.warn({ err }, 'documents of erased content go with the next sweep');
    });
}
