import { readdirSync, readFileSync } from 'node:fs';

/** What the clock of processor time counts, milliseconds (`getconf CLK_TCK` is 100 on Linux). */
const TICK_MS = 10;

/** Processor time that each process below this one has taken so far, milliseconds, by what it is. Linux only. */
export function cpuByName(root: number): Map<string, number> {
  const all = readdirSync('/proc').flatMap((entry) => (/^\d+$/.test(entry) ? read(Number(entry)) : []));
  const tree = all.filter(({ pid }) => pid === root);
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
  const sums = new Map<string, number>();
  for (const { name, ms } of tree) sums.set(name, (sums.get(name) ?? 0) + ms);
  return sums;
}

function read(pid: number): Array<{ pid: number; parent: number; name: string; ms: number }> {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may have spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    // With what its children that have ended took.
    const ticks = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0);
    return [{ pid, parent: Number(fields[1]), name: nameOf(command), ms: ticks * TICK_MS }];
  } catch {
    return []; // it ended while we looked
  }
}

const NAMES: Array<[RegExp, string]> = [
  [/hapax_worker\.poller/, 'poller'],
  [/hapax-worker/, 'hapax-worker'],
  [/celery .*worker/, 'celery worker'],
  [/load\.py/, 'client'],
  [/temporal/, 'Temporal'],
  [/postgres/, 'Postgres'],
  [/beam|rabbitmq|erl/, 'RabbitMQ'],
  [/redis/, 'Redis'],
  [/hapax/, 'Hapax'],
];

function nameOf(command: string): string {
  return NAMES.find(([pattern]) => pattern.test(command))?.[1] ?? 'other';
}
