import { readdirSync, readFileSync } from 'node:fs';

/** What the clock of processor time counts, milliseconds (`getconf CLK_TCK` is 100 on Linux). */
const TICK_MS = 10;

/** Processor time that a process and its threads have taken so far, milliseconds; NaN where the system does not tell. */
export function cpuMsOf(pid: number): number {
  return read(pid)?.own ?? Number.NaN;
}

/**
 * Processor time that this process and all below it have taken so far, with their children that have ended, milliseconds, by what they
 * are. Linux only.
 */
export function cpuByName(root: number): Map<string, number> {
  const all = readdirSync('/proc').flatMap((entry) => (/^\d+$/.test(entry) ? (read(Number(entry)) ?? []) : []));
  const tree = all.filter(({ pid }) => pid === root);
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
  const sums = new Map<string, number>();
  for (const { name, own, ofEnded } of tree) sums.set(name, (sums.get(name) ?? 0) + own + ofEnded);
  return sums;
}

/** Undefined where the process has ended, or the system has no such files. */
function read(pid: number) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may have spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ms = (user: number, system: number) => (Number(fields[user]) + Number(fields[system])) * TICK_MS;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return { pid, parent: Number(fields[1]), name: nameOf(command), own: ms(11, 12), ofEnded: ms(13, 14) };
  } catch {
    return undefined;
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
