import { LIMITS } from '../../contracts/budgets.ts';
import type { BuildStatus } from '../../contracts/builds/build.ts';
import type { Build } from '../../domain/builds/build.ts';
import type { CountedBuilds } from '../../store/builds/build-count.ts';
import { findBuild } from '../../store/builds/build-find.ts';
import { listBuilds } from '../../store/builds/build-list.ts';
import { Refusal } from '../refusal.ts';
import { cancelBuild, type OperateDependencies, retryBuild } from './operate-build.ts';

/** What can be done to many builds at once. */
export type ManyOperation = 'cancel' | 'retry';

/** Some builds by their ids, or all that match a filter. */
export type ManyBuilds = { ids: readonly number[] } | { filter: CountedBuilds };

/** What became of each. */
export interface ManyOperated {
  done: number[];
  refused: Array<{ id: number; detail: string }>;
}

/** Statuses of builds that an operation can change. Builds that need attention are retried one by one: each retry asserts something. */
const FITTING: Readonly<Record<ManyOperation, readonly BuildStatus[]>> = {
  cancel: ['queued', 'in_progress'],
  retry: ['failure'],
};

/** How many are asked of at the same time: enough to be fast, too few to keep others waiting. */
const AT_ONCE = 8;

/**
 * The builds among these that an operation can change, oldest first, so that a queue keeps its order.
 * @returns at most `LIMITS.builds.operatedAtOnce`, and whether there are more.
 */
export async function fittingBuilds(
  { db }: Pick<OperateDependencies, 'db'>,
  operation: ManyOperation,
  which: ManyBuilds,
): Promise<{ builds: Build[]; more: boolean }> {
  const most = LIMITS.builds.operatedAtOnce;
  const found =
    'ids' in which ? await byIds(db, which.ids) : await byFilter(db, FITTING[operation], which.filter, most + 1);
  const fitting = found.filter(({ status }) => FITTING[operation].includes(status));
  const builds = fitting.toSorted((a, b) => a.created_at.localeCompare(b.created_at) || a.id - b.id);
  return { builds: builds.slice(0, most), more: builds.length > most };
}

/** Cancels or retries builds. What was refused is named, and does not keep the others from being done. */
export async function operateBuilds(
  deps: OperateDependencies,
  operation: ManyOperation,
  builds: ReadonlyArray<Pick<Build, 'id'>>,
  by: string,
): Promise<ManyOperated> {
  const operated: ManyOperated = { done: [], refused: [] };
  const waiting = builds.map(({ id }) => id);
  const work = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      try {
        await (operation === 'cancel' ? cancelBuild(deps, id, by) : retryBuild(deps, id, undefined, by));
        operated.done.push(id);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        // Where Temporal or the database is away, the next would wait in vain.
        if (error.kind !== 'request') waiting.length = 0;
        operated.refused.push({ id, detail: error.detail ?? error.message });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, waiting.length) }, work));
  return operated;
}

async function byIds(db: OperateDependencies['db'], ids: readonly number[]): Promise<Build[]> {
  const found = await Promise.all(ids.slice(0, LIMITS.builds.operatedAtOnce).map((id) => findBuild(db, id)));
  return found.filter((build) => build !== undefined);
}

/** Builds of a status that the filter names, or of each that fits. */
async function byFilter(
  db: OperateDependencies['db'],
  statuses: readonly BuildStatus[],
  filter: CountedBuilds,
  limit: number,
): Promise<Build[]> {
  const wanted = statuses.filter((status) => filter.status === undefined || filter.status === status);
  const pages = await Promise.all(wanted.map((status) => listBuilds(db, { ...filter, status, limit })));
  return pages.flatMap(({ items }) => items);
}
