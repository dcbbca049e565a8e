import { readWatchOption } from './watch-option.ts';
import { runWorkingProcess } from './working-process.ts';

const USAGE = 'hapax serve worker [--watch]   runs builds and tasks';

/** Runs `hapax serve worker`. */
export async function runWorker(argv: string[], environment: NodeJS.ProcessEnv): Promise<void> {
  const read = readWatchOption(argv, environment, { role: 'worker', usage: USAGE });
  if (read) await runWorkingProcess(read.settings, 'worker', { watchTasks: read.watchTasks });
}
