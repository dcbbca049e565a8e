import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { BuildEvent } from '../../src/contracts/builds/event.ts';
import { BUILDS } from '../../src/store/builds/build-stream.ts';
import type { Db } from '../../src/store/database.ts';
import { appendEvent } from '../../src/store/record/event-append.ts';
import { queuedBuild } from '../world/queued-build.ts';

const HAPAX = fileURLToPath(new URL('../../bin/hapax.js', import.meta.url));
export const at = (second: number) => new Date(Date.UTC(2026, 10, 21, 10, 0, second)).toISOString();

/** What happened to a build: queued, started, triggered, two looks, completed. */
export function story(id: number, conclusion = 'success'): BuildEvent[] {
  const request = {
    repository: 'acme/images',
    workflow: 'build.yml',
    ref: id % 2 ? 'main' : 'dev',
    inputs: { n: 'ü "x" 😀' },
  };
  const learned = { learned_from: 'poll', request_id: null } as const;
  const told = [
    queuedBuild(id, { keyed: id % 3 === 0, fedora_version: '43', request }),
    { type: 'build_started', data: {} },
    {
      type: 'workflow_triggered',
      data: { attempt: 1, workflow_run_id: 2 ** 40 + id, run_url: 'https://x/1', correlated: true, ...learned },
    },
    { type: 'run_updated', data: { run_status: 'queued', run_attempt: 1, ...learned } },
    { type: 'run_updated', data: { run_status: 'in_progress', run_attempt: 1, ...learned } },
    { type: 'build_completed', data: { conclusion, run_attempt: 1, ...learned } },
  ];
  return told.map((event, n) => ({ ...event, occurred_at: at(id + n), dedupe_key: `step-${n}` }) as BuildEvent);
}

export async function tell(db: Db, id: number, count = 6, conclusion?: string): Promise<void> {
  for (const event of story(id, conclusion).slice(0, count)) await appendEvent(db, BUILDS, id, event);
}

/** The program as a user runs it. */
export async function hapax(args: string[], environment: Record<string, string>) {
  const { DATABASE_URL: _url, ...inherited } = process.env;
  const program = spawn(process.execPath, [HAPAX, ...args], { env: { ...inherited, ...environment } });
  const [stdout, stderr, [code]] = await Promise.all([
    text(program.stdout),
    text(program.stderr),
    once(program, 'exit') as Promise<[number]>,
  ]);
  return { code, stdout, stderr, lines: stdout.trimEnd().split('\n') };
}

/** Canonical JSON by another hand than the one that is judged. */
export const canonical = (value: unknown): string =>
  Array.isArray(value)
    ? `[${value.map(canonical)}]`
    : value === null || typeof value !== 'object'
      ? JSON.stringify(value)
      : `{${Object.entries(value)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`)}}`;
export const sha256 = (value: string) => createHash('sha256').update(value).digest('hex');
