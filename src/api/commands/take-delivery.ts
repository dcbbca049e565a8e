import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Logger } from 'pino';
import { TERMINAL_STATUSES } from '../../contracts/build.ts';
import { BUILD_SIGNALS, type SignalArguments } from '../../contracts/build-workflow.ts';
import type { Build } from '../../domain/build.ts';
import { buildIdOfToken } from '../../domain/find-runs.ts';
import { findBuild, findBuildByRun } from '../../store/build-find.ts';
import type { Db } from '../../store/database.ts';
import { takeDelivery } from '../../store/delivery-take.ts';

/** A delivery about a run. */
export interface RunDelivery {
  delivery_id: string;
  run_id: number;
  title: string;
}

export interface DeliveryDependencies {
  client: Client;
  db: Db;
  log: Logger;
}

/**
 * Wakes the build that a delivery is about, once per delivery. What the delivery says of the run counts for nothing: the
 * build reads GitHub. A delivery that is lost here costs no more than the wait for the next poll.
 */
export async function takeRunDelivery({ client, db, log }: DeliveryDependencies, delivery: RunDelivery): Promise<void> {
  const { delivery_id, run_id, title } = delivery;
  if (!(await takeDelivery(db, delivery_id))) return;
  const build = await buildOf(db, run_id, title);
  if (!build || TERMINAL_STATUSES.includes(build.status)) return;
  try {
    await client.workflow
      .getHandle(build.workflow_id)
      .signal<[SignalArguments['runChanged']]>(BUILD_SIGNALS.runChanged, { run_id, delivery_id });
    log.debug({ build_id: build.id, delivery_id }, 'build woken');
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

/** The build of a run: by its id or, where the build does not know its run yet, by the token in the title. */
async function buildOf(db: Db, runId: number, title: string): Promise<Build | undefined> {
  const known = await findBuildByRun(db, runId);
  if (known) return known;
  const id = buildIdOfToken(title);
  return id === undefined ? undefined : findBuild(db, id);
}
