import { WorkflowNotFoundError } from '@temporalio/client';
import type { Logger } from 'pino';
import { TERMINAL_STATUSES } from '../../contracts/builds/build.ts';
import { BUILD_SIGNALS, type SignalArguments } from '../../contracts/builds/build-workflow.ts';
import type { AnnouncedRun } from '../../contracts/github/github.ts';
import type { Build } from '../../domain/builds/build.ts';
import { buildIdOfToken } from '../../domain/github/find-runs.ts';
import { findBuild, findBuildByRun } from '../../store/builds/build-find.ts';
import type { Db } from '../../store/database.ts';
import { claimDelivery } from '../../store/github/delivery-claim.ts';
import { claimPendingDeliveries } from '../../store/github/delivery-claim-pending.ts';
import { releaseDelivery } from '../../store/github/delivery-release.ts';
import { settleDelivery } from '../../store/github/delivery-settle.ts';
import { BUILD } from './build-kind.ts';
import { inputAgain, type OperateDependencies, runOf } from './operate-build.ts';

/** A delivery about a run. */
export interface RunDelivery extends AnnouncedRun {
  delivery_id: string;
}

export interface DeliveryDependencies extends OperateDependencies {
  log: Logger;
}

/** Longer than the work of a delivery takes, so that nobody else begins it meanwhile. */
const CLAIM_MS = 60_000;

/** Longest wait for Temporal to take a signal. */
const SIGNAL_TIMEOUT_MS = 10_000;

/**
 * Takes a delivery over from GitHub: once it is recorded, its work will be done, by this process or another, whatever happens.
 * @returns the work, for the caller to begin; undefined where it is done, or another process is at it.
 */
export async function acceptRunDelivery(
  deps: DeliveryDependencies,
  delivery: RunDelivery,
): Promise<(() => Promise<void>) | undefined> {
  const { delivery_id, ...run } = delivery;
  return (await claimDelivery(deps.db, delivery_id, run, CLAIM_MS)) ? () => workOff(deps, delivery) : undefined;
}

/** Does the work of deliveries that failed or that another process left behind, at most so many. @returns whether all succeeded. */
export async function workOffPending(deps: DeliveryDependencies, limit: number): Promise<boolean> {
  const pending = await claimPendingDeliveries(deps.db, CLAIM_MS, limit);
  const working = pending.map(({ id, run }) => workOff(deps, { delivery_id: id, ...run }));
  const outcomes = await Promise.allSettled(working);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') {
      deps.log.warn({ err: outcome.reason }, 'handling a webhook failed; trying again later');
    }
  }
  return outcomes.every(({ status }) => status === 'fulfilled');
}

async function workOff(deps: DeliveryDependencies, delivery: RunDelivery): Promise<void> {
  try {
    await wakeBuild(deps, delivery);
  } catch (error) {
    // Where that fails as well, the claim runs out by itself.
    await releaseDelivery(deps.db, delivery.delivery_id).catch(() => {});
    throw error;
  }
  await settleDelivery(deps.db, delivery.delivery_id);
}

/**
 * Wakes the build that a delivery is about. What the delivery says of the run counts for nothing: the build reads GitHub. It may
 * happen twice for one delivery, where a process is lost in between: then the build looks twice.
 */
async function wakeBuild(deps: DeliveryDependencies, delivery: RunDelivery): Promise<void> {
  const { db } = deps;
  const { delivery_id } = delivery;
  const build = await buildOf(db, delivery);
  if (!build) return;
  // Of anything else about an ended run the build has no need.
  if (hasEnded(build) && !isRunAgain(build, delivery)) return;
  if (await wake(deps, build, delivery)) return;
  // It may have ended since it was read.
  const closed = await findBuild(db, build.id);
  if (!closed || !isRunAgain(closed, delivery)) return;
  // Only after a success the workflow stays open for a while. It is begun again, by the first delivery; the others wake it.
  if (!(await startReopened(deps, closed, delivery_id))) await wake(deps, closed, delivery);
}

function hasEnded({ status }: Build): boolean {
  return TERMINAL_STATUSES.includes(status);
}

/** Whether somebody may have run the run of an ended build again, on the forge itself. */
function isRunAgain(build: Build, { run_id, run_attempt = Number.POSITIVE_INFINITY }: RunDelivery): boolean {
  return hasEnded(build) && build.workflow_run_id === run_id && run_attempt > (build.run_attempt ?? 1);
}

/** Has the workflow of a build look at a run; false where there is none. */
async function wake(
  { client, log }: DeliveryDependencies,
  { id, workflow_id }: Build,
  { run_id, run_attempt, delivery_id }: RunDelivery,
): Promise<boolean> {
  try {
    await client.withDeadline(Date.now() + SIGNAL_TIMEOUT_MS, () =>
      client.workflow.getHandle(workflow_id).signal<[SignalArguments['runChanged']]>(BUILD_SIGNALS.runChanged, {
        run_id,
        ...(run_attempt === undefined ? {} : { run_attempt }),
        delivery_id,
      }),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
  log.debug({ build_id: id, delivery_id }, 'build woken');
  return true;
}

/** Starts the workflow of an ended build again, which asks GitHub whether its run goes on; false where it is open already. */
async function startReopened(deps: DeliveryDependencies, build: Build, deliveryId: string): Promise<boolean> {
  const input = { ...(await inputAgain(deps, build)), reopen: { run: runOf(build)!, delivery_id: deliveryId } };
  const started = await BUILD.start(deps, input, 'ALLOW_DUPLICATE');
  deps.log.info({ build_id: build.id, delivery_id: deliveryId, started }, 'somebody re-ran the run of an ended build');
  return started;
}

/** The build of a run: by its id or, where the build does not know its run yet, by the token in the title. */
async function buildOf(db: Db, { run_id, title, credential }: AnnouncedRun): Promise<Build | undefined> {
  const known = await findBuildByRun(db, run_id, credential);
  if (known) return known;
  const id = buildIdOfToken(title);
  const build = id === undefined ? undefined : await findBuild(db, id);
  // A token may be copied to another forge; the run there is not the build's.
  return build?.request.forge?.credential === credential ? build : undefined;
}
