import type { Command } from 'commander';
import type { ConfigurationView } from '../../contracts/builds/configuration.ts';
import type { ShadowedBuildView, ShadowReport } from '../../contracts/builds/shadow.ts';
import { instant, runsWith } from '../client/command.ts';
import { misuse } from '../failure.ts';
import { moment } from '../output/moments.ts';
import { print, printJson } from '../output/screen.ts';
import { fields, table } from '../output/table.ts';

export function define(command: Command): void {
  command
    .argument('<configuration>', 'name of a build configuration with the dispatch shadow')
    .option('--since <time>', 'from this time on: ISO 8601, or 2h (ago); 24h unless given', instant);
  runsWith<{ since?: string }>(command, async ({ api, json, options: { since } }, name = '') => {
    const { configs } = await api.json<{ configs: ConfigurationView[] }>('/configs', { query: { name } });
    const [configuration] = configs;
    if (!configuration) throw misuse(`there is no build configuration ${name}`, 'GET /configs lists them');
    const report = await api.json<ShadowReport>(`/configs/${configuration.id}/shadow`, { query: { since } });
    if (json) return printJson(report);
    print(...linesOf(report));
  });
}

const BUILDS = ['BUILD', 'OUTCOME', 'REF', 'HAPAX WOULD', 'LATER', 'RUN', 'DOUBLED'].map((title) => ({ title }));
const RUNS = ['RUN', 'REF', 'MADE', 'TITLE'].map((title) => ({ title, flexible: title === 'TITLE' }));

function linesOf({ builds, unheard_runs, ...report }: ShadowReport): string[] {
  const { triggered, matched, lost, waiting, doubled, unheard } = report;
  return [
    ...fields({
      since: moment(report.since),
      triggered,
      matched,
      lost: `${lost}, requests that got no run`,
      waiting,
      doubled: `${doubled}, runs one too many`,
      unheard: `${unheard}, runs that no trigger asked for`,
    }),
    ...(builds.length === 0 ? [] : ['', ...table(BUILDS, builds.map(rowOf))]),
    ...(unheard_runs.length === 0
      ? []
      : [
          '',
          ...table(
            RUNS,
            unheard_runs.map((run) => [String(run.workflow_run_id), run.ref ?? '', moment(run.created_at), run.title]),
          ),
        ]),
  ];
}

function rowOf({
  build_id,
  outcome,
  ref,
  would_dispatch_at,
  later_seconds,
  run,
  doubled,
}: ShadowedBuildView): string[] {
  return [
    String(build_id),
    outcome,
    ref,
    would_dispatch_at === null ? '' : moment(would_dispatch_at),
    later_seconds === null ? '' : `${later_seconds.toFixed(1)} s`,
    run === null ? '' : String(run.workflow_run_id),
    doubled.map(({ workflow_run_id }) => workflow_run_id).join(' '),
  ];
}
