import { type Command, Option } from 'commander';
import type { BuildView } from '../../contracts/builds/build.ts';
import { positive, runsWith } from '../client/command.ts';
import { type OperateOptions, operate, watchable } from '../operate-build.ts';
import { confirm, confirmable } from '../output/confirm.ts';

interface Options extends OperateOptions {
  mode?: string;
  yes?: boolean;
}

export function define(command: Command): void {
  watchable(command.argument('<build>', 'id of the build'));
  confirmable(command).addOption(
    new Option('-m, --mode <mode>', 'default: rerun if the build has a run').choices([
      'rerun',
      'rerun_failed',
      'redispatch',
    ]),
  );
  runsWith<Options>(command, async (context, id = '') => {
    const { mode, yes } = context.options;
    const build = await context.api.json<BuildView>(`/builds/${positive(id)}`);
    const sendsAnother = build.needs_attention || build.workflow_run_id === null || mode === 'redispatch';
    if (sendsAnother) {
      await confirm(`This dispatches build ${id} once more. If a run of it exists, the workflow runs twice.`, { yes });
    }
    return operate(context, id, 'retry', mode === undefined ? {} : { mode });
  });
}
