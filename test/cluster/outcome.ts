import type { Accepted } from './load.ts';
import type { Loss } from './losses.ts';

/** A build at its end. */
export interface Ended {
  id: number;
  ref: string;
  status: string;
  completedAt: number;
}

/** What one kind of loss did. Seconds. */
export interface LossOutcome {
  kind: string;
  times: number;
  /** The longest time that a trigger took to be accepted, of those that were sent in the time until recovery. */
  longestAccept: number;
  /** From the loss until all builds that were under way had ended; median and longest. */
  recovery: { median: number; longest: number };
}

/** What each kind of loss did to builds, by their times alone. */
export function outcomesOf(losses: Loss[], accepted: Accepted[], ended: Ended[]): LossOutcome[] {
  const endOf = new Map(ended.map(({ id, completedAt }) => [id, completedAt]));
  const each = losses.map((loss) => {
    const underWay = accepted.filter(({ id, at }) => at <= loss.at && (endOf.get(id) ?? 0) > loss.at);
    const recoveredAt = Math.max(loss.at, ...underWay.map(({ id }) => endOf.get(id)!));
    const slow = accepted.filter(({ at, acceptedAt }) => acceptedAt > loss.at && at < recoveredAt);
    const longest = Math.max(0, ...slow.map(({ at, acceptedAt }) => acceptedAt - at));
    return { kind: loss.kind, recovery: (recoveredAt - loss.at) / 1_000, longest: longest / 1_000 };
  });
  return [...new Set(losses.map(({ kind }) => kind))].map((kind) => {
    const own = each.filter((one) => one.kind === kind);
    const recovery = own.map((one) => one.recovery);
    return {
      kind,
      times: own.length,
      longestAccept: Math.max(...own.map((one) => one.longest)),
      recovery: { median: quantile(recovery, 0.5), longest: Math.max(...recovery) },
    };
  });
}

/** Milliseconds that triggers took to be accepted: those sent while something was lost and for a while after, and the others. */
export function acceptTimes(losses: Loss[], accepted: Accepted[], afterMs: number) {
  const disturbed = ({ at, acceptedAt }: Accepted) =>
    losses.some((loss) => acceptedAt > loss.at && at < loss.backAt + afterMs);
  const takes = (some: Accepted[]) => some.map(({ at, acceptedAt }) => acceptedAt - at);
  return {
    inLosses: takes(accepted.filter(disturbed)),
    outside: takes(accepted.filter((one) => !disturbed(one))),
  };
}

/** The value below which this share of the values is; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
