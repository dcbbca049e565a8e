import { parseArgs } from 'node:util';
import { readSettings, type Settings } from '../contracts/settings.ts';
import { UserError } from '../laptop/user-error.ts';

/** The explanation of `--watch` in the help. */
const MEANING = `--watch loads the tasks of HAPAX_TASKS again when their files change. Running tasks keep the code that they started with. If a file has
a fault, its tasks stay as they were. Settings are environment variables: docs/configuration.md`;

/**
 * Reads the arguments of a process that runs the user's own tasks. Prints help if asked to.
 * @param usage the first line of help.
 * @returns undefined after help.
 * @throws {UserError} for an argument that does not exist, and for --watch without a folder.
 */
export function readWatchOption(
  argv: string[],
  environment: NodeJS.ProcessEnv,
  { role, usage }: { role: 'up' | 'worker'; usage: string },
): { settings: Settings; watchTasks: boolean } | undefined {
  const { watch, help } = valuesOf(argv, usage);
  if (help) {
    console.log(`${usage}\n\n${MEANING}`);
    return undefined;
  }
  const settings = readSettings(environment, role);
  if (watch && settings.HAPAX_TASKS === undefined) {
    throw new UserError('--watch: set HAPAX_TASKS to the folder to watch; `hapax init --tasks` makes one');
  }
  return { settings, watchTasks: watch };
}

function valuesOf(argv: string[], usage: string): { watch: boolean; help: boolean } {
  try {
    const options = { help: { type: 'boolean', short: 'h' }, watch: { type: 'boolean' } } as const;
    const { values } = parseArgs({ args: argv, options });
    return { watch: values.watch ?? false, help: values.help ?? false };
  } catch (error) {
    throw new UserError(`${(error as Error).message}\n\n${usage}`);
  }
}
