import type { Command } from 'commander';
import type { CandidateRuns } from '../../contracts/builds/operator.ts';
import { type Context, positive, runsWith } from '../client/command.ts';
import { EXIT, type Exit } from '../failure.ts';
import { type OperateOptions, operate, watchable } from '../operate-build.ts';
import { confirm, confirmable } from '../output/confirm.ts';
import { note, print, printJson } from '../output/screen.ts';
import { table } from '../output/table.ts';

export function define(command: Command): void {
  command.argument('<build>', 'id of the build');
  watchable(command.argument('[run]', 'id of the run; without it, the runs that it may be are listed'));
  confirmable(command);
  runsWith<OperateOptions & { yes?: boolean }>(command, async (context, id = '', run) => {
    if (run === undefined) return listCandidates(context, positive(id));
    const run_id = positive(run);
    await confirm(`Build ${positive(id)} will end as run ${run_id} ends. This cannot be undone.`, context.options);
    return operate(context, id, 'adopt', { run_id });
  });
}

/** Shows the runs that a build that needs attention may adopt. */
async function listCandidates({ api, json }: Context<object>, id: number): Promise<Exit> {
  const found = await api.json<CandidateRuns>(`/builds/${id}/candidates`);
  const { needs_attention, reason, candidates } = found;
  if (json) printJson(found);
  else if (!needs_attention) note(`build ${id} does not need attention`);
  else {
    const rows = candidates.map(({ run_id, run_url }) => [String(run_id), run_url]);
    print(
      ...(rows.length > 0 ? table([{ title: 'RUN' }, { title: 'LOOK AT IT', flexible: true }], rows) : [reason ?? '']),
    );
    note(`if one is its run: hapax adopt ${id} RUN; if there is none: hapax retry ${id}`);
  }
  return needs_attention ? EXIT.needsPerson : EXIT.success;
}
