import { misspeltSettings } from '../contracts/setting-names.ts';
import { readSettings, settingsSchema } from '../contracts/settings.ts';

const USAGE = `hapax ROLE

  up               everything on this machine: embedded Postgres, Temporal, API and worker
  api              the HTTP API (needs DATABASE_URL and TEMPORAL_ADDRESS)
  worker           runs builds and tasks (needs DATABASE_URL and TEMPORAL_ADDRESS)
  bridge           takes tasks from RabbitMQ and replies (also needs AMQP_URL)
  migrate          updates the schema of the database and Temporal's search attributes
  audit            exports the record, or verifies it (--help for its options)
  backup           makes a backup of the record, or checks one (--help for its options)
  restore          puts a backup into an empty database (--help)
  reconcile        compares the record with Temporal and repairs differences (--help)
  rebuild          computes the stored builds and tasks again from the event log
  simulate-github  runs a simulated GitHub (--help for its options)
  demo             runs one build against the simulated GitHub

Settings are environment variables: docs/configuration.md
`;

/** Each role loads only what it needs. */
const ROLES: Record<string, (argv: string[]) => Promise<void>> = {
  up: async () => (await import('../processes/up.ts')).runUp(readSettings(process.env)),
  api: async () => (await import('../processes/api.ts')).runApi(readSettings(process.env, 'api')),
  worker: async () =>
    (await import('../processes/working-process.ts')).runWorkingProcess(readSettings(process.env, 'worker'), 'worker'),
  bridge: async () =>
    (await import('../processes/working-process.ts')).runWorkingProcess(readSettings(process.env, 'bridge'), 'bridge'),
  migrate: async () => (await import('../processes/migrate.ts')).runMigrate(readSettings(process.env, 'migrate')),
  audit: async (argv) => (await import('../processes/audit.ts')).runAudit(argv, process.env),
  backup: async (argv) => (await import('../processes/backup.ts')).runBackup(argv, process.env),
  restore: async (argv) => (await import('../processes/restore.ts')).runRestore(argv, process.env),
  reconcile: async (argv) => (await import('../processes/reconcile.ts')).runReconcile(argv, process.env),
  rebuild: async () => (await import('../processes/rebuild.ts')).runRebuild(readSettings(process.env, 'rebuild')),
  'simulate-github': async (argv) => (await import('../simulator/main.ts')).simulateGitHub(argv),
  demo: async () => (await import('../processes/demo.ts')).runDemo(process.env),
};

/** Roles with a command line of their own; all else is told by settings. */
const WITH_ARGUMENTS: ReadonlySet<string> = new Set(['audit', 'backup', 'restore', 'reconcile', 'simulate-github']);

/**
 * Runs a role and ends the process with its status: 0, 1 for a fault that the user can mend (its message without a
 * stack), 2 for a role or an argument that does not exist. Ends it explicitly, as the runtime of the Temporal SDK would keep it alive.
 */
export async function main(argv: string[]): Promise<never> {
  process.exit(await statusOf(argv));
}

async function statusOf([role = '', ...argv]: string[]): Promise<number> {
  const run = Object.hasOwn(ROLES, role) ? ROLES[role] : undefined;
  if (!run) {
    const asked = ['', 'help', '--help', '-h'].includes(role);
    (asked ? console.log : console.error)(asked ? USAGE : `hapax: there is no role "${role}"\n\n${USAGE}`);
    return asked ? 0 : 2;
  }
  if (argv.length > 0 && !WITH_ARGUMENTS.has(role)) {
    const asked = argv.every((argument) => argument === '--help' || argument === '-h');
    (asked ? console.log : console.error)(
      asked ? USAGE : `hapax: ${role} takes no arguments; settings are environment variables: docs/configuration.md`,
    );
    return asked ? 0 : 2;
  }
  for (const line of misspeltSettings(process.env, Object.keys(settingsSchema.shape))) console.error(`hapax: ${line}`);
  try {
    await run(argv);
    return 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') throw error;
    const mendable = error instanceof Error && (error.name === 'SettingsError' || error.name === 'UserError');
    console.error(mendable ? error.message.replaceAll(/^/gm, 'hapax: ') : error);
    return 1;
  }
}
