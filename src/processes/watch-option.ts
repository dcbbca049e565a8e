import { readSettings, type Settings } from '../contracts/settings.ts';
import { UserError } from '../laptop/user-error.ts';

export interface WatchOption {
  /** Loads the tasks of HAPAX_TASKS again when their files change. */
  watch?: boolean;
}

/** Reads the settings of a process that runs the user's own tasks. @throws {UserError} for --watch without a folder. */
export function readWatched(
  environment: NodeJS.ProcessEnv,
  role: 'up' | 'worker',
  { watch: watchTasks = false }: WatchOption,
): { settings: Settings; watchTasks: boolean } {
  const settings = readSettings(environment, role);
  if (watchTasks && settings.HAPAX_TASKS === undefined) {
    throw new UserError('--watch: set HAPAX_TASKS to the folder to watch; `hapax init --tasks` makes one');
  }
  return { settings, watchTasks };
}
