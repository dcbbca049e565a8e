import type { Command } from 'commander';
import { runsProcess } from '../roles.ts';

export function define(command: Command): void {
  runsProcess<{ dryRun?: boolean }>(
    command.option('--dry-run', 'show the differences and change nothing'),
    async ({ dryRun = false }) => (await import('../../processes/reconcile.ts')).runReconcile(dryRun, process.env),
    'Hapax does the same at each start and then every hour.',
    'It needs a Hapax that runs in HAPAX_HOME, or TEMPORAL_ADDRESS and DATABASE_URL.',
  );
}
