import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { superviseTemporal } from '../../src/laptop/supervised-temporal.ts';
import { findTemporalCli } from '../../src/laptop/temporal-cli.ts';
import { eventually } from '../world/eventually.ts';

let cli: string;
let directory: string;
beforeAll(async () => {
  cli = await findTemporalCli({ env: process.env, report: console.log });
});
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hapax-supervised-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
});

/** Starts a server that writes a line to its log; after the first start, `next` is run in its place, with the number of the start. */
async function supervise(next: string) {
  const program = join(directory, 'program');
  const starts = join(directory, 'starts');
  await writeFile(
    program,
    `#!/bin/sh\necho >>'${starts}'\nn=$(wc -l <'${starts}')\n[ $n -gt 1 ] && { ${next}; }\n` +
      `echo 'fatal error: out of moonlight, start '$n >&2\nexec '${cli}' "$@"\n`,
  );
  await chmod(program, 0o700);
  const reports: string[] = [];
  const options = { cli: program, directory, uiPort: null, report: (line: string) => void reports.push(line) };
  const temporal = await superviseTemporal(options);
  onTestFinished(() => temporal.close());
  const pid = async () => Number(await readFile(join(directory, 'temporal.pid'), 'utf8'));
  return { temporal, reports, pid };
}

test('a server that ended is started again, with the reason in a line and its log kept', async () => {
  const { reports, pid } = await supervise(':');
  const first = await pid();
  process.kill(first, 'SIGKILL');
  await eventually(async () => expect(await pid()).not.toBe(first));
  expect(reports).toEqual([
    'the Temporal server ended (code 137: fatal error: out of moonlight, start 1); starting it again',
  ]);
  expect(await readFile(join(directory, 'temporal.log.1'), 'utf8')).toContain('start 1');
  await eventually(async () => expect(await readFile(join(directory, 'temporal.log'), 'utf8')).toContain('start 2'));
});

test('a start that fails is one of five, and not the end', async () => {
  const { temporal, reports, pid } = await supervise("[ $n -lt 4 ] && { echo 'panic: disk is full' >&2; exit 1; }");
  const first = await pid();
  process.kill(first, 'SIGKILL');
  await eventually(() => expect(reports).toHaveLength(3));
  expect(reports.slice(1)).toEqual(
    Array(2).fill('the Temporal server ended (it did not start: panic: disk is full); starting it again'),
  );
  await eventually(async () => expect(await pid()).not.toBe(first));
  expect(await Promise.race([temporal.failed, Promise.resolve('goes on')])).toBe('goes on');
});

test('a server that does not start five times is given up, with the reason', async () => {
  const { temporal, reports, pid } = await supervise("echo 'panic: disk is full' >&2; exit 1");
  process.kill(await pid(), 'SIGKILL');
  expect((await temporal.failed).message).toMatch(/ended 6 times \(it did not start\):\n[\s\S]*panic: disk is full/);
  expect(reports).toHaveLength(5);
});
