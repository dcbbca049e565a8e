import { type Command, Option } from 'commander';
import type { BuildView } from '../../contracts/builds/build.ts';
import { UNFOLLOWED } from '../../contracts/builds/unfollowed.ts';
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
    new Option(
      '-m, --mode <mode>',
      'default: rerun, or redispatch if there is no run or the forge cannot re-run it',
    ).choices(['rerun', 'rerun_failed', 'redispatch']),
  );
  runsWith<Options>(command, async (context, id = '') => {
    const { yes } = context.options;
    const build = await context.api.json<BuildView>(`/builds/${positive(id)}`);
    const unknown = build.needs_attention || build.workflow_run_id === null;
    // Without a mode, a forge that cannot re-run makes a new run. If the old one may still be going, nobody has agreed to that: a rerun
    // is refused there.
    const mode = context.options.mode ?? (!unknown && UNFOLLOWED.includes(build.conclusion) ? 'rerun' : undefined);
    const sendsAnother = unknown || mode === 'redispatch';
    if (sendsAnother) {
      await confirm(`This dispatches build ${id} once more. If a run of it exists, the workflow runs twice.`, { yes });
    }
    return operate(context, id, 'retry', mode === undefined ? {} : { mode });
  });
}
