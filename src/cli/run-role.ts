import { CLIENT_VARIABLES, misspeltSettings } from '../contracts/setting-names.ts';
import { readSettings, settingsSchema } from '../contracts/settings.ts';
import { readEnvironmentFile } from './environment-file.ts';

/** The processes that settings control, by role. Each loads only what it needs. */
const PROCESSES: Record<string, (options: { watch?: boolean }) => Promise<void>> = {
  up: async (options) => (await import('../processes/up.ts')).runUp(options, process.env),
  api: async () => (await import('../processes/api.ts')).runApi(readSettings(process.env, 'api')),
  worker: async (options) => (await import('../processes/worker.ts')).runWorker(options, process.env),
  bridge: async () =>
    (await import('../processes/working-process.ts')).runWorkingProcess(readSettings(process.env, 'bridge'), 'bridge'),
  migrate: async () => (await import('../processes/migrate.ts')).runMigrate(readSettings(process.env, 'migrate')),
  rebuild: async () => (await import('../processes/rebuild.ts')).runRebuild(readSettings(process.env, 'rebuild')),
  demo: async () => (await import('../processes/demo.ts')).runDemo(process.env),
};

/** Runs a process that settings control. @returns as {@link runRole} */
export const runProcess = (role: string, options = {}) => runRole(role, () => PROCESSES[role]!(options));

/** Names of errors that the user can correct. */
const MENDABLE: ReadonlySet<string> = new Set(['SettingsError', 'UserError', 'Failure']);

/**
 * Runs a role until it ends.
 * @returns the status of the process: 0, or 1 for a fault that the user can correct (its message without a stack).
 */
export async function runRole(role: string, run: () => Promise<void>): Promise<number> {
  try {
    // These two have their own settings.
    if (role !== 'demo' && role !== 'simulate-github') readEnvironmentFile(process.env);
    const known = [...Object.keys(settingsSchema.shape), ...CLIENT_VARIABLES];
    for (const line of misspeltSettings(process.env, known)) console.error(`hapax: ${line}`);
    await run();
    return 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') throw error;
    const isMendable = error instanceof Error && MENDABLE.has(error.name);
    console.error(isMendable ? error.message.replaceAll(/^/gm, 'hapax: ') : error);
    return 1;
  }
}
