import { setTimeout as delay } from 'node:timers/promises';
import { claimReconciliation } from '../../store/installation/reconciliation-claim.ts';
import type { ListRuns } from '../builds/compare-shadow.ts';
import { repeat } from '../lifecycle/repeat.ts';
import { DIRECT_SETTLING_MS, type ReconcileDependencies, reconcile } from './reconcile.ts';

/** How often record and Temporal are compared. */
const EVERY_MS = 3_600_000;
/** How often a process asks whether it should compare. */
const ASK_EVERY_MS = 60_000;
/** A starting process does not compare again if another one did within this time. Unresolved differences are tried again after it. */
const JUST_NOW_MS = 10_000;
/** Pause if the database or Temporal is away. */
const AWAY_MS = 2_000;

/**
 * Compares the record with Temporal when a process starts, and then once an hour. One of all processes does so; the
 * database decides which.
 */
export function startReconciliation(deps: Omit<ReconcileDependencies, 'epoch'> & { listRuns: ListRuns }) {
  const { db, log } = deps;
  const compare = async (signal: AbortSignal) => {
    let isSettled = true;
    const differences = await reconcile(deps, {
      dryRun: false,
      signal,
      listRuns: deps.listRuns,
      runningMs: Date.now() - startedAt,
      unsettled() {
        isSettled = false;
      },
      report: ({ subject, found, outcome }) => log.warn({ subject, found, outcome }, 'record and Temporal differed'),
    });
    log.info({ differences: differences.length }, 'record and Temporal were compared');
    return isSettled && differences.every(({ error }) => error === undefined);
  };
  const startedAt = Date.now();
  let within = JUST_NOW_MS;
  let isWanted = false;
  /** Says whether another process has compared since this one started. An earlier comparison may have missed a later loss. */
  const wasCompared = async () => {
    const { reconciled_at } = await deps.installation.refresh();
    return reconciled_at !== null && Date.parse(reconciled_at) >= startedAt;
  };
  const running = repeat(async (signal) => {
    let pause = ASK_EVERY_MS;
    if (isWanted) within = 0;
    isWanted = false;
    try {
      const isClaimed = await claimReconciliation(db, within);
      // The process that claimed it may have died, and unresolved differences must not wait for an hour.
      const isDone = isClaimed ? await compare(signal) : within === EVERY_MS || (await wasCompared());
      within = isDone ? EVERY_MS : JUST_NOW_MS;
      if (!isClaimed && !isDone) pause = JUST_NOW_MS;
    } catch (err) {
      const isFirst = within !== 0;
      log[isFirst ? 'warn' : 'debug']({ err }, 'record and Temporal could not be compared; trying again');
      pause = AWAY_MS;
      within = 0;
    }
    return isWanted ? 0 : pause;
  });
  return {
    /** Compares again as soon as a direct dispatch of now would count as one without a workflow. */
    soon() {
      void delay(DIRECT_SETTLING_MS, undefined, { ref: false }).then(() => {
        isWanted = true;
        running.wake();
      });
    },
    /** Stops after the present difference is repaired. */
    stop: running.stop,
  };
}
