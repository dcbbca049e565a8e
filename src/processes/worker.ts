import { parseArgs } from 'node:util';
import { readSettings } from '../contracts/settings.ts';
import { UserError } from '../laptop/user-error.ts';
import { runWorkingProcess } from './working-process.ts';

const USAGE = `hapax serve worker [--watch]   runs builds and tasks

--watch loads the tasks of HAPAX_TASKS again when their files change. Running tasks keep the code that they started with. If a file has
a fault, its tasks stay as they were. Settings are environment variables: docs/configuration.md`;

/** `hapax serve worker`. */
export async function runWorker(argv: string[], environment: NodeJS.ProcessEnv): Promise<void> {
  const { watch, help } = readArguments(argv);
  if (help) return console.log(USAGE);
  const settings = readSettings(environment, 'worker');
  if (watch && settings.HAPAX_TASKS === undefined)
    throw new UserError('--watch: set HAPAX_TASKS to the folder to watch');
  await runWorkingProcess(settings, 'worker', { watchTasks: watch });
}

function readArguments(argv: string[]): { watch: boolean; help: boolean } {
  try {
    const options = { help: { type: 'boolean', short: 'h' }, watch: { type: 'boolean' } } as const;
    const { values } = parseArgs({ args: argv, options });
    return { watch: values.watch ?? false, help: values.help ?? false };
  } catch (error) {
    throw new UserError(`${(error as Error).message}\n\n${USAGE}`);
  }
}
