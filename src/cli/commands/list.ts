import { type Command, Option } from 'commander';
import type { BuildSummary } from '../../contracts/builds/build.ts';
import { instant, positive } from '../client/command.ts';
import { listsPages } from '../list-pages.ts';
import { statusOf } from '../output/build-words.ts';
import { moment, span } from '../output/moments.ts';
import { paint } from '../output/screen.ts';
import { table } from '../output/table.ts';

interface Options {
  status?: string;
  ref?: string;
  repository?: string;
  configId?: number;
  since?: string;
  until?: string;
  at?: string;
}

export function define(command: Command): void {
  command
    .addOption(
      new Option('-s, --status <status>', 'only these').choices([
        'queued',
        'in_progress',
        'success',
        'failure',
        'cancelled',
      ]),
    )
    .option('-r, --ref <ref>', 'only this branch or tag')
    .option('--repository <owner/name>', 'only this repository')
    .option('--config-id <id>', 'only this build configuration', positive)
    .option('--since <time>', 'created at this time or later: ISO 8601, or 2h (ago)', instant)
    .option('--until <time>', 'created before this time', instant)
    .option('--at <time>', 'as it was at this time', instant);
  listsPages<BuildSummary, Options>(command, {
    path: '/builds',
    name: 'builds',
    query({ configId: config_id, status, ref, repository, since, until, at }) {
      return { status, ref, repository, config_id, since, until, at };
    },
    lines(builds, { at }) {
      const seen = at === undefined ? Date.now() : Date.parse(at);
      return table(
        COLUMNS,
        builds.map((build) => rowOf(build, seen)),
      );
    },
  });
}

const COLUMNS = [
  { title: 'BUILD' },
  { title: 'STATUS' },
  { title: 'REF', flexible: true },
  { title: 'CREATED' },
  { title: 'TOOK' },
  { title: 'RUN' },
];

/** @param seen the time at which the builds were as they are shown, milliseconds since the epoch */
function rowOf(build: BuildSummary, seen: number): string[] {
  const { id, ref, created_at, completed_at, workflow_run_id } = build;
  const { text, tone } = statusOf(build);
  const took = span((completed_at === null ? seen : Date.parse(completed_at)) - Date.parse(created_at));
  return [
    String(id),
    paint(text, tone),
    ref,
    moment(created_at),
    took,
    workflow_run_id === null ? '' : String(workflow_run_id),
  ];
}
