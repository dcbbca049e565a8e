import { LIMITS } from '../../contracts/budgets.ts';
import type { DeadLetterFilter } from '../../contracts/builds/operator.ts';
import { type Db, join } from '../database.ts';
import { type DeadLetter, deadOfKinds } from './dead-letter-list.ts';

/** Dead letters of one kind with the same cause. */
export interface CauseCount {
  kind: DeadLetter['kind'];
  cause: string;
  count: number;
  oldest_at: string;
  newest_at: string;
  /** The reason of the newest one. */
  reason: string | null;
}

/** Dead letters by cause, most frequent first, and their total. */
export interface DeadLetterCount {
  count: number;
  /** False if there may be more. */
  exact: boolean;
  causes: CauseCount[];
}

const { countedEntries } = LIMITS.lists;

/** Counts the dead letters that match: the newest of each kind, up to a bound. */
export async function countDeadLetters(db: Db, filter: DeadLetterFilter): Promise<DeadLetterCount> {
  const kinds = deadOfKinds(db, { ...filter, limit: countedEntries });
  if (kinds.length === 0) return { count: 0, exact: true, causes: [] };
  const causes = await db<CauseCount[]>`
    SELECT kind, cause, count(*) AS count, min(created_at) AS oldest_at, max(created_at) AS newest_at,
      (array_agg(detail ORDER BY created_at DESC))[1] AS reason
    FROM (${join(db, kinds, db` UNION ALL `)}) AS dead GROUP BY kind, cause ORDER BY count DESC, kind, cause`;
  const ofKind = Map.groupBy(causes, ({ kind }) => kind);
  const sum = (of: CauseCount[]) => of.reduce((all, { count }) => all + count, 0);
  return {
    count: sum(causes),
    exact: [...ofKind.values()].every((of) => sum(of) <= countedEntries),
    causes: [...causes],
  };
}
