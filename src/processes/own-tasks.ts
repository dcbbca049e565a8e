import { watch } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import type { Logger } from 'pino';
import type { OwnTasks } from '../activities/own-tasks.ts';
import type { TaskTypeRegistration } from '../contracts/tasks/task-type.ts';
import { type DefinedTask, descriptionOf } from '../domain/tasks/define-task.ts';
import { UserError } from '../laptop/user-error.ts';
import { TaskModules } from '../tasks/modules.ts';
import type { Workers } from '../worker/workers.ts';

/** The user's own tasks, from a folder. */
export interface OwnTaskFolder {
  modules: TaskModules;
  directory: string;
  tasks: DefinedTask[];
}

/** Loads the folder of HAPAX_TASKS. @throws {UserError} with a line for each fault of a module. */
export async function loadOwnTasks(folder: string | undefined): Promise<OwnTaskFolder | undefined> {
  if (folder === undefined) return undefined;
  const directory = resolve(folder);
  const modules = new TaskModules(directory);
  const { tasks, faults } = await modules.load().catch((error: Error) => {
    throw new UserError(`HAPAX_TASKS: ${error.message}`);
  });
  if (faults.length > 0) throw new UserError(faults.map((fault) => `HAPAX_TASKS: ${fault}`).join('\n'));
  return { modules, directory, tasks };
}

/** Returns what a worker registers about own tasks. */
export function registrationOf(identity: string, tasks: readonly DefinedTask[]): Omit<TaskTypeRegistration, 'version'> {
  const types = tasks.map(descriptionOf);
  return { identity, runtime: 'typescript', queues: [...new Set(types.map(({ queue }) => queue))], types };
}

/** Makes workers run these tasks from now on, and serve their queues. */
export async function serveOwnTasks(
  { own, workers }: { own: OwnTasks; workers: Workers },
  tasks: readonly DefinedTask[],
): Promise<void> {
  own.replace(tasks);
  for (const { name, queue, rate_limit } of tasks.map(descriptionOf)) {
    workers.limitRate(name, rate_limit ?? '');
    await workers.serve(queue);
  }
}

/**
 * Says whether a change may concern the modules of a folder: a change of code or of a folder, and not in packages, in tools, or in our
 * home where that is below the folder.
 */
export function concernsCode(directory: string, changed: string, home: string): boolean {
  const parts = changed.split(sep);
  const isApart = parts.some((part) => part === 'node_modules' || part.startsWith('.'));
  const below = relative(directory, home).split(sep);
  const isOurs = below[0] !== '' && below[0] !== '..' && below.every((part, at) => parts[at] === part);
  return !isApart && !isOurs && /^[^.]+$|\.(?:[cm]?[jt]s|json)$/.test(parts.at(-1)!);
}

/** An editor writes a file in several steps. */
const SETTLED_MS = 100;

/**
 * Reloads the folder whenever code in it changes. Running attempts end on the code that they began with. A module with
 * a fault keeps its previous tasks, and a line in the log names the fault.
 * @param onChange gets all present tasks. @param home HAPAX_HOME, which may be in the folder.
 */
export function watchOwnTasks(
  { modules, directory }: OwnTaskFolder,
  onChange: (tasks: DefinedTask[]) => Promise<void>,
  { log, home }: { log: Logger; home: string },
): { stop(): void } {
  const own = resolve(home);
  let working = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  const reload = async () => {
    try {
      const { tasks, faults } = await modules.load();
      for (const fault of faults) log.error(`HAPAX_TASKS: ${fault}; what it had is still served`);
      await onChange(tasks);
      const names = tasks.map(({ name }) => name).sort();
      log.info({ tasks: names }, `tasks are reloaded: ${names.join(', ') || 'none'}`);
    } catch (err) {
      log.error({ err }, 'HAPAX_TASKS could not be reloaded; what was loaded is still served');
    }
  };
  const watching = watch(directory, { recursive: true }, (_, changed) => {
    if (changed !== null && !concernsCode(directory, changed, own)) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      working = working.then(reload);
    }, SETTLED_MS);
  });
  watching.on('error', (err) => log.error({ err }, 'HAPAX_TASKS is not watched any more; restart the worker'));
  return {
    stop() {
      watching.close();
      clearTimeout(timer);
    },
  };
}
