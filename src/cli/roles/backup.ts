import type { Command } from 'commander';
import { runsProcess } from '../roles.ts';

const load = () => import('../../processes/backup.ts');

export function define(command: Command): void {
  runsProcess<object>(
    command.argument('<directory>', 'a new one, for a backup as of one moment'),
    async (_, directory = '') => (await load()).runBackup(directory, process.env),
    'Hapax can keep running. Keep the directory as safe as the database: it may contain secrets, such as callback URLs.',
    'docs/backup.md says more.',
  );
  runsProcess<object>(
    command.command('verify').description('check a backup, on any machine').argument('<directory>', 'of the backup'),
    async (_, directory = '') => (await load()).verifyBackup(directory),
  );
}
