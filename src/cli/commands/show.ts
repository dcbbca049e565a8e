import type { Command } from 'commander';
import type { BuildView } from '../../contracts/builds/build.ts';
import { instant, positive, runsWith } from '../client/command.ts';
import { artifactLines } from '../output/artifacts.ts';
import { statusOf } from '../output/build-words.ts';
import { failedJobLines } from '../output/failed-jobs.ts';
import { moment, span } from '../output/moments.ts';
import { columnsOf, cut, paint, print, printJson } from '../output/screen.ts';
import { fields } from '../output/table.ts';
import { timelineRow } from '../output/timeline.ts';

export function define(command: Command): void {
  command.argument('<build>', 'id of the build').option('--at <time>', 'as it was at this time', instant);
  runsWith<{ at?: string }>(command, async ({ api, json, options: { at } }, id = '') => {
    const build = await api.json<BuildView>(`/builds/${positive(id)}`, { query: { at } });
    if (json) return printJson(build);
    print(...buildLines(build));
  });
}

function buildLines(build: BuildView): string[] {
  const { id, created_at, completed_at, waits_for, inputs } = build;
  const { text, tone } = statusOf(build);
  const took = completed_at ? `, took ${span(Date.parse(completed_at) - Date.parse(created_at))}` : '';
  const columns = columnsOf();
  return [
    `${paint(`build ${id}`, 'strong')}  ${paint(text, tone)}`,
    ...fields({
      workflow: `${build.repository} ${build.workflow} ${build.ref}`,
      configuration: `${build.config_id}, version ${build.config_version}`,
      inputs: Object.entries(inputs)
        .map(([name, value]) => `${name}=${value}`)
        .join(' '),
      created: `${moment(created_at)}${took}`,
      'waits for': waits_for.join(', '),
      run: build.run_url && `${build.run_url} (attempt ${build.run_attempt ?? 1})`,
      commit: build.commit,
      reason: build.reason,
    }).map((line) => cut(line, columns)),
    '',
    ...build.events.map((event) => cut(timelineRow(event, created_at), columns)),
    ...failedJobLines(build),
    ...artifactLines(build),
  ];
}
