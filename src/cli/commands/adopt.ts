import type { Command } from 'commander';
import { positive, runsWith } from '../client/command.ts';
import { type OperateOptions, operate, watchable } from '../operate-build.ts';
import { confirm, confirmable } from '../output/confirm.ts';

export function define(command: Command): void {
  watchable(command.argument('<build>', 'id of the build').argument('<run>', 'id of the run at GitHub'));
  confirmable(command);
  runsWith<OperateOptions & { yes?: boolean }>(command, async (context, id = '', run = '') => {
    const run_id = positive(run);
    await confirm(`Build ${positive(id)} will end as run ${run_id} ends. This cannot be undone.`, context.options);
    return operate(context, id, 'adopt', { run_id });
  });
}
