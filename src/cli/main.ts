import { readSettings, SettingsError } from '../contracts/settings.ts';

const USAGE = `hapax ROLE

  up               everything on this machine: embedded Postgres, Temporal, API and worker
  api              the HTTP API (needs DATABASE_URL and TEMPORAL_ADDRESS)
  worker           follows builds (needs DATABASE_URL and TEMPORAL_ADDRESS)
  migrate          brings database and search attributes up to date
  simulate-github  a GitHub to try things on (--help for its options)
  demo             one build through the simulated GitHub, from trigger to end

Settings are environment variables: docs/configuration.md
`;

/** Each role loads only what it needs. */
const ROLES: Record<string, (argv: string[]) => Promise<void>> = {
  up: async () => (await import('../roles/up.ts')).runUp(readSettings(process.env)),
  api: async () => (await import('../roles/api.ts')).runApi(readSettings(process.env)),
  worker: async () => (await import('../roles/worker.ts')).runWorker(readSettings(process.env)),
  migrate: async () => (await import('../roles/migrate.ts')).runMigrate(readSettings(process.env)),
  'simulate-github': async (argv) => (await import('../simulator/main.ts')).simulateGitHub(argv),
  demo: async () => (await import('../roles/demo.ts')).runDemo(process.env),
};

/** Runs a role. Faults that a user can mend end the process with status 1 and their message, without a stack. */
export async function main([role = '', ...argv]: string[]): Promise<void> {
  const run = Object.hasOwn(ROLES, role) ? ROLES[role] : undefined;
  if (!run) {
    const asked = ['', 'help', '--help', '-h'].includes(role);
    (asked ? console.log : console.error)(asked ? USAGE : `hapax: there is no role "${role}"\n\n${USAGE}`);
    process.exitCode = asked ? 0 : 2;
    return;
  }
  try {
    await run(argv);
  } catch (error) {
    if (error instanceof SettingsError) console.error(error.message.replaceAll(/^/gm, 'hapax: '));
    else if (error instanceof Error && error.name === 'UserError') console.error(`hapax: ${error.message}`);
    else throw error;
    process.exitCode = 1;
  }
}
