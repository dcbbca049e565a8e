import { BuildIds } from '../commands/builds/build-ids.ts';
import type { DirectDependencies } from '../commands/builds/dispatch-directly.ts';
import { Configurations } from '../commands/configurations/configurations.ts';
import { KnownInstallation } from '../commands/lifecycle/installation.ts';
import { UnusedBuildIds } from '../commands/reconcile/unused-build-ids.ts';
import { TaskTypes } from '../commands/tasks/task-types.ts';
import { environmentConfiguration, policyOf } from '../domain/builds/configuration.ts';
import { forgeAddressesOf } from '../domain/forges/place.ts';
import { taskPolicyOf } from '../domain/tasks/task-request.ts';
import { refusalOfHost } from './callbacks.ts';
import { repositoryOf } from './github.ts';
import type { Ground } from './parts.ts';
import { secretBoxOf } from './secret-box.ts';
import { watchEnds } from './watch-ends.ts';

/** Returns what commands need, except those that trigger builds. */
export function commandDependencies(
  {
    settings,
    client,
    db,
    metrics,
    tracing,
    log,
  }: Pick<Ground, 'settings' | 'client' | 'db' | 'tracing' | 'log'> & Partial<Pick<Ground, 'metrics'>>,
  workerBeside = false,
) {
  return {
    ...{ client, workerBeside, db, log },
    ends: metrics && watchEnds(metrics, { tracing, log }),
    installation: new KnownInstallation(db),
    policy: policyOf(settings),
    taskPolicy: taskPolicyOf(settings),
    taskTypes: new TaskTypes(db, log),
    callbackHosts: { allowed: settings.CALLBACK_ALLOWED_HOSTS, refusalOf: refusalOfHost(settings) },
    secrets: secretBoxOf(settings),
    dedupWindowMs: settings.DEDUP_WINDOW,
  };
}

/** Returns what all commands need. Build ids are taken only when the first one is needed. */
export function triggerDependencies(
  ground: Pick<Ground, 'settings' | 'client' | 'db' | 'metrics' | 'tracing' | 'log'>,
  sendDispatch: DirectDependencies['sendDispatch'],
  workerBeside = false,
) {
  const { settings, db, metrics: meter } = ground;
  const deps = commandDependencies(ground, workerBeside);
  const unusedIds = new UnusedBuildIds(deps);
  return {
    ...{ ...deps, meter, sendDispatch },
    buildIds: new BuildIds((count) => unusedIds.reserve(count)),
    configurations: new Configurations(db, environmentConfiguration(repositoryOf(settings), settings.GITHUB_WORKFLOW)),
    forges: forgeAddressesOf(settings),
    queueEnabled: settings.QUEUE_ENABLED,
  };
}
