import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { processesOf } from '../end-to-end/processes-of.ts';
import { eventually } from '../world/eventually.ts';

const ENTRY = join(import.meta.dirname, '../../bin/hapax.js');

/** Starts a role, in a directory of its own for all that it makes. */
async function start(role: string, environment: Record<string, string> = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'hapax-stopped-'));
  const child = spawn(process.execPath, [ENTRY, role], {
    env: {
      ...{ ...process.env, TMPDIR: directory, HAPAX_HOME: join(directory, 'home') },
      ...{ PORT: '0', TEMPORAL_PORT: '0', TEMPORAL_UI_PORT: '0', START_TIMEOUT: '10m', ...environment },
    },
  });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await eventually(() => expect(processesOf(directory)).toEqual([]));
    await rm(directory, { recursive: true, force: true });
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
  return {
    directory,
    said: () => said,
    async stop(signal: NodeJS.Signals) {
      child.kill(signal);
      return (await exited)[0] as number | null;
    },
  };
}

test('a start that waits for a server stops when it is told to', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  onTestFinished(() => void silent.close());
  const { port } = silent.address() as AddressInfo;
  const temporal = { TEMPORAL_ADDRESS: `127.0.0.1:${port}`, TEMPORAL_PORT: '', TEMPORAL_UI_PORT: '' };
  const up = await start('up', temporal);
  await eventually(() => expect(up.said()).toMatch(/waiting for Temporal/));
  expect([await up.stop('SIGTERM'), up.said()]).toEqual([143, expect.stringMatching(/^hapax: stopping \.\.\.$/m)]);
  await eventually(() => expect(processesOf(up.directory)).toEqual([]));
});

test('a start of servers stops when it is told to, and leaves none behind', async () => {
  const up = await start('up');
  await eventually(() => stat(join(up.directory, 'home/temporal/temporal.pid')));
  expect([await up.stop('SIGINT'), up.said()]).toEqual([130, expect.stringMatching(/^hapax: stopping \.\.\.$/m)]);
  expect(up.said()).not.toContain('ready');
  await eventually(() => expect(processesOf(up.directory)).toEqual([]));
});

test('a demo that starts stops when it is told to, and removes its parts', async () => {
  const demo = await start('demo');
  const homes = async () => (await readdir(demo.directory)).filter((name) => name.startsWith('hapax-demo-'));
  await eventually(async () => stat(join(demo.directory, (await homes())[0] ?? '', 'temporal/temporal.pid')));
  expect([await demo.stop('SIGTERM'), demo.said()]).toEqual([143, expect.stringContaining('stopping ...')]);
  await eventually(() => expect(processesOf(demo.directory)).toEqual([]));
  expect(await homes()).toEqual([]);
});
