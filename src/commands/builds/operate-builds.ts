import type { BuildStatus } from '../../contracts/builds/build.ts';
import type { Build } from '../../domain/builds/build.ts';
import type { CountedBuilds } from '../../store/builds/build-count.ts';
import { findBuild } from '../../store/builds/build-find.ts';
import { type BuildFilter, listBuilds } from '../../store/builds/build-list.ts';
import { findFitting } from '../lifecycle/operate-many.ts';
import { cancelBuild, type OperateDependencies, retryBuild } from './operate-build.ts';

/** The operations for many builds at once. */
export type ManyOperation = 'cancel' | 'retry';

/** Builds by their ids, or all that match a filter. */
export type ManyBuilds = { ids: readonly number[] } | { filter: CountedBuilds };

/**
 * Statuses of builds that an operation can change. Builds that need attention are retried one by one, since each retry
 * asserts something.
 */
export const FITTING_BUILD_STATUSES: Readonly<Record<ManyOperation, readonly BuildStatus[]>> = {
  cancel: ['queued', 'in_progress'],
  retry: ['failure'],
};

/** Finds the builds among these that an operation can change: the newest ones, oldest first, so that a queue keeps its order. */
export async function fittingBuilds(
  { db }: Pick<OperateDependencies, 'db'>,
  operation: ManyOperation,
  which: ManyBuilds,
  most?: number,
): Promise<{ items: Build[]; more: boolean }> {
  const byIds = async (ids: readonly number[]) => {
    const found = await Promise.all(ids.map((id) => findBuild(db, id)));
    return found.filter((build) => build !== undefined);
  };
  const list = (filter: BuildFilter) => listBuilds(db, filter);
  const { items, more } = await findFitting(which, FITTING_BUILD_STATUSES[operation], { byIds, list }, most);
  return { items: items.toReversed(), more };
}

/** Cancels a build, or retries it in its usual way. @throws {Refusal} 404, 409 */
export function operateBuild(deps: OperateDependencies, operation: ManyOperation, id: number, by: string) {
  return operation === 'cancel' ? cancelBuild(deps, id, by) : retryBuild(deps, id, undefined, by);
}
