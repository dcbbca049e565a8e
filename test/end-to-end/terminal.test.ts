import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../world/eventually.ts';
import { steadyPort } from '../world/steady-port.ts';
import { directory, Program } from './program.ts';

/** A worker whose Temporal is away says so in its log at once. */
const AWAY = {
  DATABASE_URL: 'postgres://hapax@127.0.0.1:1/record',
  TEMPORAL_ADDRESS: '127.0.0.1:1',
};
const WORKER = [process.execPath, 'bin/hapax.js', 'worker'];

/** The line in which a worker tells that, started by this command. */
async function lineOf(command: string, args: string[]): Promise<string> {
  const log = join(await directory(), 'worker.log');
  const worker = new Program(command, args, AWAY, log);
  onTestFinished(() => worker.kill());
  return eventually(() => {
    const lines = stripVTControlCharacters(worker.output).split(/\r?\n/);
    const line = lines.slice(0, -1).find((one) => one.includes('Temporal cannot be reached'));
    if (line === undefined) throw new Error(`it has not said so: ${worker.output}`);
    return line;
  });
}

it('logs are JSON for programs', async () => {
  expect(JSON.parse(await lineOf(WORKER[0]!, WORKER.slice(1)))).toMatchObject({
    role: 'worker',
    address: '127.0.0.1:1',
  });
});

// `script` of util-linux gives a program a terminal.
const hasScript = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0;
it.skipIf(!hasScript)('logs are lines for people in a terminal', async () => {
  const line = await lineOf('script', ['-qec', WORKER.join(' '), '/dev/null']);
  expect(line).toMatch(/^\[\d\d:\d\d:\d\d\] WARN: Temporal cannot be reached; trying again/);
});

it('everything on one machine stops in order where nobody reads its lines any more, as Ctrl-C ends a `tee` too', async () => {
  const home = await directory();
  const [port, temporal] = [await steadyPort(), await steadyPort()];
  const child = spawn(process.execPath, ['bin/hapax.js', 'up'], {
    env: {
      PATH: process.env.PATH,
      ...{ HAPAX_ENV_FILE: '', HAPAX_HOME: home },
      ...{ PORT: `${port}`, TEMPORAL_PORT: `${temporal}`, TEMPORAL_UI_PORT: '0' },
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exit = once(child, 'exit');
  for await (const line of createInterface(child.stdout)) if (line.includes('ready;')) break;
  child.stdout.destroy();
  child.stderr.destroy();
  child.kill('SIGINT');
  expect(await exit).toEqual([0, null]);
  // Its end removes this file; a server that was cut off leaves it.
  expect(existsSync(join(home, 'temporal/temporal.pid'))).toBe(false);
});
