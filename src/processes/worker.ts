import { readWatched, type WatchOption } from './watch-option.ts';
import { runWorkingProcess } from './working-process.ts';

/** Runs `hapax serve worker`. */
export async function runWorker(options: WatchOption, environment: NodeJS.ProcessEnv): Promise<void> {
  const { settings, watchTasks } = readWatched(environment, 'worker', options);
  await runWorkingProcess(settings, 'worker', { watchTasks });
}
