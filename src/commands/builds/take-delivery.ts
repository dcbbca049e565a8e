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

/** Longer than the work of a delivery takes, so that no other process begins it meanwhile. */
const CLAIM_MS = 60_000;

/** How long Temporal may take to accept a signal. */
const SIGNAL_TIMEOUT_MS = 10_000;

/**
 * Accepts a delivery from GitHub. Once it is recorded, this process or another does its work, whatever happens.
 * @returns the work, for the caller to start; undefined if it is done, or another process is doing it.
 */
export async function acceptRunDelivery(
  deps: DeliveryDependencies,
  delivery: RunDelivery,
): Promise<(() => Promise<void>) | undefined> {
  const { delivery_id, ...run } = delivery;
  return (await claimDelivery(deps.db, delivery_id, run, CLAIM_MS)) ? () => workOff(deps, delivery) : undefined;
}

/** Does the work of deliveries that failed or that another process left behind, at most `limit`. @returns whether all succeeded. */
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
    // If that fails too, the claim expires by itself.
    await releaseDelivery(deps.db, delivery.delivery_id).catch(() => {});
    throw error;
  }
  await settleDelivery(deps.db, delivery.delivery_id);
}

/**
 * Wakes the build of a delivery. The build does not rely on what the delivery says about the run: it reads GitHub. If a
 * process dies in between, one delivery may wake the build twice; then the build looks twice.
 */
async function wakeBuild(deps: DeliveryDependencies, delivery: RunDelivery): Promise<void> {
  const { db } = deps;
  const { delivery_id } = delivery;
  const build = await buildOf(db, delivery);
  if (!build) return;
  // About an ended build, only a re-run of its run matters.
  if (hasEnded(build) && !isRunAgain(build, delivery)) return;
  if (await wake(deps, build, delivery)) return;
  // The build may have ended since it was read.
  const closed = await findBuild(db, build.id);
  if (!closed || !isRunAgain(closed, delivery)) return;
  // A workflow stays open for a while only after a success. Otherwise the first delivery starts it again, and the others wake it.
  if (!(await startReopened(deps, closed, delivery_id))) await wake(deps, closed, delivery);
}

function hasEnded({ status }: Build): boolean {
  return TERMINAL_STATUSES.includes(status);
}

/** Says whether somebody may have re-run the run of an ended build on the forge itself. An erased build is never begun again. */
function isRunAgain(build: Build, { run_id, run_attempt = Number.POSITIVE_INFINITY }: RunDelivery): boolean {
  if (build.erased_at !== null) return false;
  return hasEnded(build) && build.workflow_run_id === run_id && run_attempt > (build.run_attempt ?? 1);
}

/** Makes the workflow of a build look at a run; returns false if there is no workflow. */
async function wake(
  { client, log }: DeliveryDependencies,
  { id, workflow_id }: Build,
  { run_id, run_attempt, delivery_id }: RunDelivery,
): Promise<boolean> {
  try {
    await client.withDeadline(Date.now() + SIGNAL_TIMEOUT_MS, () =>
      client.workflow.getHandle(workflow_id).signal<[SignalArguments['runChanged']]>(BUILD_SIGNALS.runChanged, {
        run_id,
        // Forges that do not number attempts say 0. Any delivery is about the first attempt, at least.
        ...(run_attempt === undefined ? {} : { run_attempt: Math.max(1, run_attempt) }),
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

/** Starts the workflow of an ended build again, which asks GitHub whether its run goes on; returns false if one is open already. */
async function startReopened(deps: DeliveryDependencies, build: Build, deliveryId: string): Promise<boolean> {
  const input = { ...(await inputAgain(deps, build)), reopen: { run: runOf(build)!, delivery_id: deliveryId } };
  const started = await BUILD.start(deps, input, 'ALLOW_DUPLICATE');
  deps.log.info({ build_id: build.id, delivery_id: deliveryId, started }, 'somebody re-ran the run of an ended build');
  return started;
}

/** Finds the build of a run: by the run's id or, if the build does not know its run yet, by the token in the title. */
async function buildOf(db: Db, { run_id, title, credential }: AnnouncedRun): Promise<Build | undefined> {
  const known = await findBuildByRun(db, run_id, credential);
  if (known) return known;
  const id = buildIdOfToken(title);
  const build = id === undefined ? undefined : await findBuild(db, id);
  // A token may be copied to another forge. The run there does not belong to the build.
  return build?.request.forge?.credential === credential ? build : undefined;
}
