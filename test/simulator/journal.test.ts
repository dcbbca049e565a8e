import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { startGitHubSimulator } from '../../src/simulator/github.ts';
import { eventually, remote, simulate } from './harness.ts';

function journalFile(): string {
  const directory = mkdtempSync(join(tmpdir(), 'simulator-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return join(directory, 'github.ndjson');
}

test('a restart changes nothing: not the runs, not their past, not the counts', async () => {
  const dataFile = journalFile();
  const first = await simulate({}, dataFile);
  const done = await first.dispatch('done');
  await first.force(done, 'completed', 'failure');
  await first.control('POST', `/runs/${done}`, { action: 'rerun' });
  await first.control('POST', `/runs/${await first.dispatch('gone')}`, { action: 'delete' });
  await first.control('POST', `/runs/${await first.dispatch('stopped')}`, { action: 'force_cancel' });
  await first.fault({ on: 'dispatch', kind: 'reject-with-503' });
  await first.dispatch('refused').catch(() => {});
  const [runs, oracle] = [await first.runs(), await first.oracle()];
  expect(oracle).toMatchObject({ dispatch_requests: 4, runs: 3 });
  await first.close();

  const second = await simulate({}, dataFile);
  expect(await second.runs()).toEqual(runs);
  expect(await second.oracle()).toMatchObject({ dispatch_requests: 4, runs: 3, runs_per_token: oracle.runs_per_token });
  expect(await second.dispatch('later')).toBeGreaterThan(Math.max(...runs.map((run) => run.id)));
});

test('a last line that was cut short is dropped, and the next one is whole', async () => {
  const dataFile = journalFile();
  const first = await simulate({}, dataFile);
  await first.dispatch('whole');
  await first.close();
  appendFileSync(dataFile, '{"fact":"created","at":17');
  const second = await simulate({}, dataFile);
  expect((await second.runs()).map((run) => run.token)).toEqual(['whole']);
  await second.dispatch('next');
  await second.close();
  const third = await simulate({}, dataFile);
  expect((await third.runs()).map((run) => run.token)).toEqual(['next', 'whole']);
  for (const line of readFileSync(dataFile, 'utf8').trimEnd().split('\n')) JSON.parse(line);
});

test('a file that is no journal is an error that names the line, and stays as it is', async () => {
  const dataFile = journalFile();
  writeFileSync(dataFile, 'shopping list\n');
  await expect(startGitHubSimulator({ dataFile })).rejects.toThrow(`${dataFile}:1`);
  expect(readFileSync(dataFile, 'utf8')).toBe('shopping list\n');
});

/** The simulator as a process of its own, as `hapax simulate-github` starts it. */
async function spawned(options: object): Promise<{ child: ChildProcess; url: string }> {
  const main = new URL('../../src/simulator/main.ts', import.meta.url).href;
  const script = `const { simulateGitHub } = await import(${JSON.stringify(main)}); await simulateGitHub(${JSON.stringify(options)});`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
  expect(line).toMatch(/^simulated GitHub at http:\/\/127\.0\.0\.1:\d+$/);
  return { child, url: line.slice('simulated GitHub at '.length) };
}

test('a process killed with -9 right after its answer has forgotten nothing, and time went on', async () => {
  const options = { data: journalFile(), queued: '1', running: '20' };
  const first = await spawned(options);
  const id = await remote(first).dispatch('t');
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');

  const second = await spawned(options);
  const github = remote(second);
  await eventually(async () =>
    expect(await github.run(id)).toMatchObject({ status: 'completed', conclusion: 'success' }),
  );
  expect(await github.oracle()).toMatchObject({ dispatch_requests: 1, runs_per_token: { t: 1 } });
  second.child.kill('SIGTERM');
  expect(await once(second.child, 'exit')).toEqual([0, null]);
});
