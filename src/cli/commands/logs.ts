import type { Command } from 'commander';
import type { BuildView } from '../../contracts/builds/build.ts';
import { positive, runsWith } from '../client/command.ts';
import { plainOf } from '../output/build-words.ts';
import { failedJobLines } from '../output/failed-jobs.ts';
import { print, printJson } from '../output/screen.ts';
import { logLine } from '../output/timeline.ts';

export function define(command: Command): void {
  command.argument('<build>', 'id of the build');
  runsWith<object>(command, async ({ api, json }, id = '') => {
    const build = await api.json<BuildView>(`/builds/${positive(id)}`);
    const { events, failed_jobs, run_url } = build;
    if (json) return printJson({ id: build.id, run_url, events, failed_jobs });
    for (const event of events) {
      print(logLine(`build ${build.id}`, event));
      const evidence = plainOf(event.event_data ?? {});
      if (evidence) print(`  ${evidence}`);
    }
    print(...failedJobLines(build), ...(run_url ? [`the log of the run is at ${run_url}`] : []));
  });
}
