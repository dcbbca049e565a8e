import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** Memory of one process, megabytes (10^6 bytes). */
export interface ProcessMemory {
  name: string;
  pid: number;
  rssMb: number;
  /** Shared pages counted in proportion; null where the system does not tell. */
  pssMb: number | null;
}

/** The memory of a process and of all below it. */
export function memoryOfTree(root: number): ProcessMemory[] {
  const all = existsSync('/proc/self/stat') ? fromProc() : fromPs();
  const tree = all.filter(({ pid }) => pid === root);
  for (const { pid } of tree) tree.push(...all.filter((process) => process.parent === pid));
  return tree.map(({ pid, name, rssKb }) => ({ name, pid, rssMb: kbToMb(rssKb), pssMb: pss(pid) }));
}

interface Listed {
  pid: number;
  parent: number;
  name: string;
  rssKb: number;
}

function fromProc(): Listed[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      const status = readFileSync(`/proc/${entry}/status`, 'utf8');
      const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? '0';
      const name = basename(readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0')[0] ?? '');
      return [{ pid: Number(entry), parent: Number(field('PPid')), name, rssKb: Number(field('VmRSS')) }];
    } catch {
      return []; // it ended while we looked
    }
  });
}

function fromPs(): Listed[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,rss=,comm='], { encoding: 'utf8' }).trim().split('\n');
  return lines.map((line) => {
    const [pid, parent, rssKb, ...command] = line.trim().split(/\s+/);
    return { pid: Number(pid), parent: Number(parent), name: basename(command.join(' ')), rssKb: Number(rssKb) };
  });
}

function pss(pid: number): number | null {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return kbToMb(Number(/^Pss:\s*(\d+)/m.exec(text)?.[1]));
  } catch {
    return null;
  }
}

function kbToMb(kb: number): number {
  return (kb * 1024) / 1e6;
}
