import { LIMITS } from '../../contracts/budgets.ts';
import type { BuildStatus } from '../../contracts/builds/build.ts';
import type { Build } from '../../domain/builds/build.ts';
import type { CountedBuilds } from '../../store/builds/build-count.ts';
import { findBuild } from '../../store/builds/build-find.ts';
import { listBuilds } from '../../store/builds/build-list.ts';
import { type ManyOutcome, operateMany } from '../lifecycle/operate-many.ts';
import { cancelBuild, type OperateDependencies, retryBuild } from './operate-build.ts';

/** The operations for many builds at once. */
export type ManyOperation = 'cancel' | 'retry';

/** Builds by their ids, or all that match a filter. */
export type ManyBuilds = { ids: readonly number[] } | { filter: CountedBuilds };

/**
 * Statuses of builds that an operation can change. Builds that need attention are retried one by one, since each retry
 * asserts something.
 */
const FITTING: Readonly<Record<ManyOperation, readonly BuildStatus[]>> = {
  cancel: ['queued', 'in_progress'],
  retry: ['failure'],
};

/**
 * Finds the builds among these that an operation can change, oldest first, so that a queue keeps its order.
 * @returns the newest ones, at most `most`, and whether more match.
 */
export async function fittingBuilds(
  { db }: Pick<OperateDependencies, 'db'>,
  operation: ManyOperation,
  which: ManyBuilds,
  most: number = LIMITS.lists.operatedAtOnce,
): Promise<{ builds: Build[]; more: boolean }> {
  const { found, more } =
    'ids' in which ? await byIds(db, which.ids) : await byFilter(db, FITTING[operation], which.filter, most);
  const fitting = found.filter(({ status }) => FITTING[operation].includes(status));
  const builds = fitting.toSorted((a, b) => b.created_at.localeCompare(a.created_at) || b.id - a.id);
  return { builds: builds.slice(0, most).toReversed(), more: more || builds.length > most };
}

/** Cancels or retries builds, for at most `withinMs`. @throws {Refusal} if Temporal or the database is away. */
export function operateBuilds(
  deps: OperateDependencies,
  operation: ManyOperation,
  builds: ReadonlyArray<Pick<Build, 'id'>>,
  by: string,
  withinMs: number,
): Promise<ManyOutcome<number>> {
  const operate = (id: number) =>
    operation === 'cancel' ? cancelBuild(deps, id, by) : retryBuild(deps, id, undefined, by);
  return operateMany(
    builds.map(({ id }) => id),
    operate,
    withinMs,
  );
}

interface Found {
  found: Build[];
  more: boolean;
}

async function byIds(db: OperateDependencies['db'], ids: readonly number[]): Promise<Found> {
  const found = await Promise.all(ids.slice(0, LIMITS.lists.operatedAtOnce).map((id) => findBuild(db, id)));
  return { found: found.filter((build) => build !== undefined), more: false };
}

/** Finds builds with the status that the filter names or, without one, with each fitting status. */
async function byFilter(
  db: OperateDependencies['db'],
  statuses: readonly BuildStatus[],
  filter: CountedBuilds,
  limit: number,
): Promise<Found> {
  const wanted = statuses.filter((status) => filter.status === undefined || filter.status === status);
  const pages = await Promise.all(wanted.map((status) => listBuilds(db, { ...filter, status, limit })));
  return { found: pages.flatMap(({ items }) => items), more: pages.some(({ end }) => end !== undefined) };
}
