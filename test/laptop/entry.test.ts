import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';

const entry = join(import.meta.dirname, '../../bin/hapax.js');
/** A Node of this machine that can't run TypeScript, if it has one. */
const oldNode = (process.env.PATH ?? '')
  .split(':')
  .map((directory) => join(directory, 'node'))
  .find((node) => {
    try {
      return (
        Number.parseInt(execFileSync(node, ['-p', 'process.versions.node'], { stdio: 'pipe' }).toString(), 10) < 24
      );
    } catch {
      return false;
    }
  });

for (const [name, node] of [
  ['this Node', process.execPath],
  ['an old Node', oldNode],
] as const) {
  test.skipIf(!node)(`hapax runs under ${name} and gives its exit code on`, () => {
    const { status, stderr } = spawnSync(node ?? '', [entry, 'nonsense'], { encoding: 'utf8' });
    expect(stderr).toContain('there is no role "nonsense"');
    expect(stderr).not.toContain('Warning');
    expect(status).toBe(2);
  });
}

test.skipIf(!oldNode)('a signal reaches the role through the old Node', async () => {
  const child = spawn(oldNode ?? '', [entry, 'simulate-github', '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  await once(createInterface(child.stdout), 'line');
  child.kill('SIGTERM');
  const [code, signal] = await exited;
  expect(code === 0 || signal === 'SIGTERM').toBe(true);
});
