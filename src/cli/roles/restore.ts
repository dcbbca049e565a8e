import type { Command } from 'commander';
import { runsProcess } from '../roles.ts';

export function define(command: Command): void {
  runsProcess<object>(
    command.argument('<directory>', 'of the backup'),
    async (_, directory = '') => (await import('../../processes/restore.ts')).runRestore(directory, process.env),
    'Stop Hapax first. When you start it again, it compares the restored record with Temporal. docs/backup.md says what is lost.',
  );
}
