import type { FireScheduled } from '../activities/schedules.ts';
import { BuildIds } from '../commands/builds/build-ids.ts';
import type { DirectDependencies } from '../commands/builds/dispatch-directly.ts';
import { Configurations } from '../commands/configurations/configurations.ts';
import { KnownInstallation } from '../commands/lifecycle/installation.ts';
import { UnusedBuildIds } from '../commands/reconcile/unused-build-ids.ts';
import { fireSchedule } from '../commands/schedules/fire-schedule.ts';
import { TaskTypes } from '../commands/tasks/task-types.ts';
import { environmentConfiguration, policyOf } from '../domain/builds/configuration.ts';
import { forgeAddressesOf } from '../domain/forges/place.ts';
import { taskPolicyOf } from '../domain/tasks/task-request.ts';
import { refusalOfHost } from './callbacks.ts';
import { repositoryOf } from './github.ts';
import type { Ground } from './parts.ts';
import { secretBoxOf } from './secret-box.ts';

/**
 * Returns the function with which a worker fires schedules. It uses the commands of the API, and takes build ids only when
 * it needs one.
 */
export function firingOf(
  { settings, client, db, metrics, log }: Ground,
  sendDispatch: DirectDependencies['sendDispatch'],
): FireScheduled {
  const installation = new KnownInstallation(db);
  const unusedIds = new UnusedBuildIds({ client, db, installation, log });
  const deps = {
    client,
    db,
    installation,
    log,
    meter: metrics,
    workerBeside: false,
    taskPolicy: taskPolicyOf(settings),
    taskTypes: new TaskTypes(db, log),
    secrets: secretBoxOf(settings),
    policy: policyOf(settings),
    dedupWindowMs: settings.DEDUP_WINDOW,
    callbackHosts: { allowed: settings.CALLBACK_ALLOWED_HOSTS, refusalOf: refusalOfHost(settings) },
    buildIds: new BuildIds((count) => unusedIds.reserve(count)),
    forges: forgeAddressesOf(settings),
    queueEnabled: settings.QUEUE_ENABLED,
    sendDispatch,
    configurations: new Configurations(db, environmentConfiguration(repositoryOf(settings), settings.GITHUB_WORKFLOW)),
  };
  return async (schedule, time) => {
    if (!installation.known) await installation.refresh();
    return fireSchedule(deps, schedule, time);
  };
}
