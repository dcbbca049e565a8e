import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem, type } from 'node:os';
import packageJson from '../package.json' with { type: 'json' };
import type { AppendRounds } from './appends.ts';
import { median, type Round } from './closed-loop.ts';
import type { ProcessMemory } from './memory.ts';
import type { TaskComparison, TaskRounds } from './task-comparison.ts';

/** Rounds of triggers over HTTP, and of bare starts, taken in turn. */
export interface Comparison {
  connections: number;
  triggers: Round[];
  bare: Round[];
}

/** Rounds of a trigger that was accepted before, without and with an Idempotency-Key. */
export interface Duplicates {
  unkeyed: Round;
  keyed: Round;
}

/** What one run found; `build/bench.json`. */
export interface Results {
  machine: ReturnType<typeof describeMachine>;
  accept: Comparison[];
  laptop: Comparison[];
  duplicates: { laptop: Duplicates; api: Duplicates };
  untilStarted: { count: number; p50Ms: number; p99Ms: number };
  memory: ProcessMemory[];
  appends: { embedded: AppendRounds; server: AppendRounds };
  tasks: TaskComparison;
}

/** Where and on what a run was made. */
export function describeMachine(temporalCli: string) {
  const { dependencies } = packageJson;
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1e9),
    system: `${type()} ${release()}`,
    node: process.versions.node,
    hapax: packageJson.version,
    temporalSdk: dependencies['@temporalio/client'],
    temporal: execFileSync(temporalCli, ['--version'], { encoding: 'utf8' }).trim(),
    pglite: dependencies['@electric-sql/pglite'],
  };
}

/** The median over the rounds of what each two neighbours (triggers, bare) have for a ratio. */
function ratio({ triggers, bare }: Comparison, of: keyof Round): number {
  return median(triggers.map((round, n) => round[of] / (bare[n]?.[of] ?? Number.NaN)));
}

export function render(results: Results): string {
  const { machine, duplicates, untilStarted, memory, appends } = results;
  const total = (of: 'rssMb' | 'pssMb') => memory.reduce((sum, process) => sum + (process[of] ?? Number.NaN), 0);
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB; ${machine.system}; Node ${machine.node}; ${machine.temporal}`,
    renderTriggers(results),
    renderTasks(results.tasks),
    section('Duplicates, 50 connections', [
      ['', 'per second', 'p50', 'p99'],
      ...(['laptop', 'api'] as const).flatMap((mode) => [
        [`${mode}, without key`, ...cells(duplicates[mode].unkeyed)],
        [`${mode}, with Idempotency-Key`, ...cells(duplicates[mode].keyed)],
      ]),
    ]),
    section(`From trigger until a GET shows build_started: laptop mode, ${untilStarted.count} in sequence`, [
      ['p50', 'p99'],
      [ms(untilStarted.p50Ms), ms(untilStarted.p99Ms)],
    ]),
    section('Appends per second, 10 tellers', [
      ['', 'first event', 'later event'],
      ['embedded Postgres', rate(appends.embedded.first), rate(appends.embedded.later)],
      ['Postgres server', rate(appends.server.first), rate(appends.server.later)],
    ]),
    section('Idle memory of laptop mode (second start), MB', [
      ['process', 'RSS', 'PSS'],
      ...memory.map(({ name, rssMb, pssMb }) => [name, mb(rssMb), mb(pssMb ?? Number.NaN)]),
      ['sum', mb(total('rssMb')), mb(total('pssMb'))],
    ]),
  ].join('\n\n');
}

/** Both tables of triggers. */
export function renderTriggers({ accept, laptop }: Pick<Results, 'accept' | 'laptop'>): string {
  return [
    section('Accepted triggers: api role, no worker anywhere', comparisons(accept)),
    section('Accepted triggers: laptop mode, the worker running beside', comparisons(laptop)),
  ].join('\n\n');
}

/** Ratios are those to what ran in the same round. */
export function renderTasks({ hapax, temporal, celery }: TaskComparison): string {
  const row = (name: string, { burst, sequence }: TaskRounds) => {
    const { perSecond, p50Ms } = medianRound(burst);
    const one = medianRound(sequence);
    return [name, perSecond.toFixed(0), ms(p50Ms), ms(one.p50Ms), ms(one.p99Ms)];
  };
  const against = (name: string, other: TaskRounds) => {
    const quotient = (part: keyof TaskRounds, of: keyof Round) =>
      ratio({ connections: 0, triggers: hapax[part], bare: other[part] }, of).toFixed(2);
    return [
      ...[name, quotient('burst', 'perSecond'), quotient('burst', 'p50Ms')],
      ...[quotient('sequence', 'p50Ms'), quotient('sequence', 'p99Ms')],
    ];
  };
  return section('Tasks that do nothing: laptop mode, 10 connections, then one after the other', [
    ['', 'ended per second', 'accepted, p50', 'one, to its result, p50', 'p99'],
    row('Hapax', hapax),
    row('Temporal alone', temporal),
    against('ratio', temporal),
    ...(celery ? [row('Celery', celery), against('ratio', celery)] : []),
  ]);
}

function comparisons(all: Comparison[]): string[][] {
  const header = ['connections', '', 'per second', 'p50', 'p99'];
  const rows = all.flatMap((comparison) => {
    const { connections, triggers, bare } = comparison;
    const quotient = (of: keyof Round) => ratio(comparison, of).toFixed(2);
    return [
      [String(connections), 'triggers', ...cells(medianRound(triggers))],
      ['', 'bare starts', ...cells(medianRound(bare))],
      ['', 'ratio', quotient('perSecond'), quotient('p50Ms'), quotient('p99Ms')],
    ];
  });
  return [header, ...rows];
}

function medianRound(rounds: Round[]): Round {
  const of = (name: keyof Round) => median(rounds.map((round) => round[name]));
  return { perSecond: of('perSecond'), p50Ms: of('p50Ms'), p99Ms: of('p99Ms') };
}

function cells(round: Round): string[] {
  return [rate(round), ms(round.p50Ms), ms(round.p99Ms)];
}

const rate = (round: Round) => round.perSecond.toFixed(0);
const ms = (value: number) => `${value.toFixed(1)} ms`;
const mb = (value: number) => (Number.isNaN(value) ? '-' : value.toFixed(0));

/** A table in Markdown, which the docs take over as it is. */
function section(title: string, [header = [], ...rows]: string[][]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(3, ...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [`${title}\n`, line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
