import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { FOUND } from './found.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

/** What `npm run fuzz` says; rejects where it finds something. A program of its own: it takes the place of the clock and of modules. */
async function fuzz(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args]);
  return stdout;
}

it('150 schedules of faults, kills and operators leave one run per build, an end and a sound log each', async () => {
  const output = await fuzz('--seed', '1', '--schedules', '150');
  console.log(
    output
      .split('\n')
      .filter((line) => /seed|a second/.test(line))
      .join(': '),
  );
  expect(output).toMatch(/^150 schedules/m);
});

it('the schedules that found a fault once find none any more', async () => {
  expect(await fuzz('--found')).toMatch(new RegExp(`^${FOUND.size} schedules`, 'm'));
});

it('the search finds faults that are put into the workflow code', async () => {
  const output = await fuzz('--mutations', '--schedules', '500', '--seed', '1');
  expect(output.match(/^found after/gm)).toHaveLength(6);
});
