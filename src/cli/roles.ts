import { CLIENT_VARIABLES, misspeltSettings } from '../contracts/setting-names.ts';
import { readSettings, settingsSchema } from '../contracts/settings.ts';
import { ROLE_WORDS, SERVED_ROLES } from './command-names.ts';
import { readEnvironmentFile } from './environment-file.ts';

/** The processes of a server or its operator, by role. Each loads only what it needs. */
const ROLES: Record<string, (argv: string[]) => Promise<void>> = {
  up: async (argv) => (await import('../processes/up.ts')).runUp(argv, process.env),
  api: async () => (await import('../processes/api.ts')).runApi(readSettings(process.env, 'api')),
  worker: async (argv) => (await import('../processes/worker.ts')).runWorker(argv, process.env),
  bridge: async () =>
    (await import('../processes/working-process.ts')).runWorkingProcess(readSettings(process.env, 'bridge'), 'bridge'),
  migrate: async () => (await import('../processes/migrate.ts')).runMigrate(readSettings(process.env, 'migrate')),
  audit: async (argv) => (await import('../processes/audit.ts')).runAudit(argv, process.env),
  backup: async (argv) => (await import('../processes/backup.ts')).runBackup(argv, process.env),
  restore: async (argv) => (await import('../processes/restore.ts')).runRestore(argv, process.env),
  content: async (argv) => (await import('../processes/content-move.ts')).runContent(argv, process.env),
  reconcile: async (argv) => (await import('../processes/reconcile.ts')).runReconcile(argv, process.env),
  replay: async (argv) => (await import('../processes/replay.ts')).runReplay(argv, process.env),
  rebuild: async () => (await import('../processes/rebuild.ts')).runRebuild(readSettings(process.env, 'rebuild')),
  'simulate-github': async (argv) => (await import('../simulator/main.ts')).simulateGitHub(argv),
  demo: async () => (await import('../processes/demo.ts')).runDemo(process.env),
};

/** Roles with their own command line. Settings control all others. */
const WITH_ARGUMENTS: ReadonlySet<string> = new Set([
  'up',
  'worker',
  'audit',
  'backup',
  'restore',
  'content',
  'reconcile',
  'replay',
  'simulate-github',
]);

/** Names of errors that the user can correct. */
const MENDABLE: ReadonlySet<string> = new Set(['SettingsError', 'UserError', 'Failure']);

/**
 * Runs a role until it ends.
 * @returns the status of the process: 0, 1 for a fault that the user can correct (its message without a stack), 2 for an argument that does
 *   not exist.
 */
export async function runRole(role: string, argv: string[]): Promise<number> {
  if (argv.length > 0 && !WITH_ARGUMENTS.has(role)) {
    const asked = argv.every((argument) => argument === '--help' || argument === '-h');
    (asked ? console.log : console.error)(
      asked
        ? `hapax ${role}   ${summaryOf(role)}\n\nIt takes no options. Settings are environment variables: docs/configuration.md`
        : `hapax: ${role} takes no arguments; settings are environment variables: docs/configuration.md`,
    );
    return asked ? 0 : 2;
  }
  try {
    // These two have their own settings.
    if (role !== 'demo' && role !== 'simulate-github') readEnvironmentFile(process.env);
    const known = [...Object.keys(settingsSchema.shape), ...CLIENT_VARIABLES];
    for (const line of misspeltSettings(process.env, known)) console.error(`hapax: ${line}`);
    await ROLES[role]!(argv);
    return 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') throw error;
    const isMendable = error instanceof Error && MENDABLE.has(error.name);
    console.error(isMendable ? error.message.replaceAll(/^/gm, 'hapax: ') : error);
    return 1;
  }
}

function summaryOf(role: string): string {
  return ROLE_WORDS[role]?.summary ?? SERVED_ROLES[role]!;
}
