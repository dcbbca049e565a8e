import { WorkflowNotFoundError } from '@temporalio/client';
import type { Logger } from 'pino';
import { TERMINAL_STATUSES } from '../../contracts/build.ts';
import { BUILD_SIGNALS, type SignalArguments } from '../../contracts/build-workflow.ts';
import type { Build } from '../../domain/build.ts';
import { buildIdOfToken } from '../../domain/find-runs.ts';
import { findBuild, findBuildByRun } from '../../store/build-find.ts';
import type { Db } from '../../store/database.ts';
import { takeDelivery } from '../../store/delivery-take.ts';
import { inputAgain, type OperateDependencies, runOf } from './operate-build.ts';
import { startBuild } from './start-build.ts';

/** A delivery about a run. */
export interface RunDelivery {
  delivery_id: string;
  run_id: number;
  run_attempt: number;
  title: string;
}

export interface DeliveryDependencies extends OperateDependencies {
  log: Logger;
}

/**
 * Wakes the build that a delivery is about, once per delivery. What the delivery says of the run counts for nothing: the
 * build reads GitHub. A delivery that is lost here costs no more than the wait for the next poll.
 */
export async function takeRunDelivery(deps: DeliveryDependencies, delivery: RunDelivery): Promise<void> {
  const { db } = deps;
  const { delivery_id, run_id, title } = delivery;
  if (!(await takeDelivery(db, delivery_id))) return;
  const build = await buildOf(db, run_id, title);
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

/** Whether somebody ran the run of an ended build again, in GitHub itself. */
function isRunAgain(build: Build, { run_id, run_attempt }: RunDelivery): boolean {
  return hasEnded(build) && build.workflow_run_id === run_id && run_attempt > (build.run_attempt ?? 1);
}

/** Has the workflow of a build look at a run; false where there is none. */
async function wake(
  { client, log }: DeliveryDependencies,
  { id, workflow_id }: Build,
  { run_id, run_attempt, delivery_id }: RunDelivery,
): Promise<boolean> {
  try {
    await client.workflow
      .getHandle(workflow_id)
      .signal<[SignalArguments['runChanged']]>(BUILD_SIGNALS.runChanged, { run_id, run_attempt, delivery_id });
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
  const started = await startBuild(deps, input, 'ALLOW_DUPLICATE');
  deps.log.info({ build_id: build.id, delivery_id: deliveryId, started }, 'the run of an ended build was run again');
  return started;
}

/** The build of a run: by its id or, where the build does not know its run yet, by the token in the title. */
async function buildOf(db: Db, runId: number, title: string): Promise<Build | undefined> {
  const known = await findBuildByRun(db, runId);
  if (known) return known;
  const id = buildIdOfToken(title);
  return id === undefined ? undefined : findBuild(db, id);
}
