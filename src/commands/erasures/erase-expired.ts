import type { Logger } from 'pino';
import type { ContentStore } from '../../store/content/content-store.ts';
import { findErasedWithTargets, findExpiredStreams } from '../../store/erasures/erasable-find.ts';
import { operateMany } from '../lifecycle/operate-many.ts';
import { listUntoldStreams } from '../reconcile/lost-endings.ts';
import { type EraseDependencies, erase } from './erase.ts';

export interface RetentionDependencies extends EraseDependencies {
  content: Pick<ContentStore, 'find' | 'erase' | 'listBefore'>;
  log: Logger;
  /** How long arguments are kept after the end, in milliseconds; undefined: for ever. */
  keepArgumentsMs: number | undefined;
  /** How long content is kept after it was last brought in, in milliseconds; undefined: for ever. */
  keepContentMs: number | undefined;
}

/** The name in events of who erases. */
const BY = 'retention';
const BATCH = 200;

/**
 * Erases what has been kept long enough, for at most `withinMs`. The next sweep goes on.
 * @throws {Refusal} if Temporal or a store is away.
 */
export async function eraseExpired(deps: RetentionDependencies, withinMs: number): Promise<void> {
  const { keepArgumentsMs, keepContentMs } = deps;
  const giveUp = Date.now() + withinMs;
  if (keepArgumentsMs !== undefined) await eraseEnded(deps, timeBefore(keepArgumentsMs), giveUp);
  if (keepContentMs !== undefined) await eraseOldContent(deps, timeBefore(keepContentMs), giveUp);
}

async function eraseEnded(deps: RetentionDependencies, before: string, giveUp: number): Promise<void> {
  let erased = 0;
  let refused = 0;
  const eraseAll = async (ids: string[]) => {
    const outcome = await operateMany(ids, (id) => erase(deps, id, BY), giveUp - Date.now());
    erased += outcome.done.length;
    refused += outcome.refused.length;
  };
  // What is still told about an end needs its URL and its values.
  const untold = await listUntoldStreams(deps.db);
  // This reads all callback URLs, so once in a sweep.
  await eraseAll(await findErasedWithTargets(deps.db, before, BATCH));
  for (let after: { completed_at: string; stream: string } | undefined; Date.now() < giveUp; ) {
    const batch = await findExpiredStreams(deps.db, before, { after, limit: BATCH });
    await eraseAll(batch.map(({ stream }) => stream).filter((stream) => !untold.has(stream)));
    after = batch.at(-1);
    if (batch.length < BATCH) break;
  }
  if (erased + refused > 0) deps.log.info({ erased, refused }, 'arguments and results were kept for their time');
}

async function eraseOldContent(deps: RetentionDependencies, before: string, giveUp: number): Promise<void> {
  let erased = 0;
  while (Date.now() < giveUp) {
    const ids = await deps.content.listBefore(before, BATCH);
    const { done } = await operateMany(ids, (id) => erase(deps, `content:${id}`, BY), giveUp - Date.now());
    erased += done.length;
    if (ids.length < BATCH || done.length === 0) break;
  }
  if (erased > 0) deps.log.info({ erased }, 'content was kept for its time');
}

function timeBefore(ms: number): string {
  return new Date(Date.now() - ms).toISOString();
}
