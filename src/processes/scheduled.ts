import type { FireScheduled } from '../activities/schedules.ts';
import type { DirectDependencies } from '../commands/builds/dispatch-directly.ts';
import { fireSchedule } from '../commands/schedules/fire-schedule.ts';
import { triggerDependencies } from './command-dependencies.ts';
import type { Ground } from './parts.ts';

/** Returns the function with which a worker fires schedules. It uses the commands of the API. */
export function firingOf(ground: Ground, sendDispatch: DirectDependencies['sendDispatch']): FireScheduled {
  const deps = triggerDependencies(ground, sendDispatch);
  return async (schedule, time, version) => {
    if (!deps.installation.known) await deps.installation.refresh();
    return fireSchedule(deps, schedule, time, version);
  };
}
