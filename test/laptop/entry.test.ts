import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { processesOf } from '../end-to-end/processes-of.ts';
import { eventually } from '../world/eventually.ts';

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
    expect(stderr).toContain("unknown command 'nonsense'");
    expect(stderr).not.toContain('Warning');
    expect(status).toBe(2);
  });
}

test('what is wrong with the command line, or with what it needs, is said in lines without a stack', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  onTestFinished(() => void taken.close());
  const { port } = taken.address() as AddressInfo;
  const database = { DATABASE_URL: 'postgres://hapax:hunter2hunter2@127.0.0.1:1/record' };
  const cases: Array<[args: string[], environment: Record<string, string>, says: RegExp, status: number]> = [
    [['rebuild', '--force'], {}, /^hapax: unknown option '--force': see hapax rebuild --help/, 2],
    [['serve', 'api', '--force'], {}, /^hapax: unknown option '--force': see hapax serve --help/, 2],
    [['serve', 'worker', '--force'], {}, /^hapax: unknown option '--force': see hapax serve --help/, 2],
    [['worker', 'twice'], {}, /^hapax: too many arguments for 'worker'.* see hapax worker --help/, 2],
    [['up', '--watch'], {}, /^hapax: --watch: set HAPAX_TASKS to the folder to watch/, 1],
    [
      ['up'],
      { HAPAX_HOME: '/nowhere/c#/home' },
      /^hapax: Temporal's server .* in \/nowhere\/c#\/home: set .* without #/,
      1,
    ],
    [['up'], { HAPAX_HOME: '/nowhere/a%20b' }, /^hapax: Temporal's server .*: set HAPAX_HOME to a path without %20/, 1],
    [['serve', 'nothing'], {}, /^hapax: unknown command 'nothing': see hapax serve --help/, 2],
    [['simulate-github', '--ports', '1'], {}, /^hapax: unknown option '--ports' .*see hapax simulate-github --help/, 2],
    [['simulate-github', '--port', 'x'], {}, /^hapax: --port takes a whole number/, 1],
    [['simulate-github', '--port', String(port)], {}, /^hapax: port \d+ is in use/, 1],
    [['migrate'], database, /^hapax: the database at 127.0.0.1:1 \(DATABASE_URL\) cannot be used: .*ECONNREFUSED/, 1],
    [['rebuild'], database, /^hapax: the database at 127.0.0.1:1/, 1],
    [['audit', 'key', 'two words'], {}, /^hapax: the name of a key has no spaces/, 1],
    [['audit', 'verify'], database, /^hapax: the database at 127.0.0.1:1/, 1],
    [
      ['worker'],
      { ...database, TEMPORAL_ADDRESS: '127.0.0.1:1', TEMPORAL_TLS_CA: '/nowhere/ca.pem' },
      /^hapax: TEMPORAL_TLS_CA: cannot read the file: ENOENT/,
      1,
    ],
    [['up'], { HAPAX_ENV_FILE: '/nowhere/.env' }, /^hapax: HAPAX_ENV_FILE: there is no file \/nowhere\/.env/, 1],
    [['worker'], { HAPAX_ENV_FILE: tmpdir() }, /^hapax: the file with settings .* cannot be read: EISDIR/, 1],
  ];
  await Promise.all(
    cases.map(async ([args, environment, says, expected]) => {
      const child = spawn(process.execPath, [entry, ...args], {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { PATH: process.env.PATH, HAPAX_ENV_FILE: '', ...environment },
      });
      const [stderr, [status]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
      expect(stderr).toMatch(says);
      expect(stderr).not.toMatch(/hunter2|^\s+at /m);
      expect([args, status]).toEqual([args, expected]);
    }),
  );
});

test('--help only tells of a role', () => {
  for (const role of ['up', 'rebuild', 'simulate-github']) {
    const { status, stdout } = spawnSync(process.execPath, [entry, role, '--help'], { encoding: 'utf8' });
    expect(stdout).toMatch(new RegExp(`^Usage: hapax ${role} `));
    expect(status).toBe(0);
  }
});

test('without the packages it says how to install them', async () => {
  const checkout = await mkdtemp(join(tmpdir(), 'hapax-bare-'));
  onTestFinished(() => rm(checkout, { recursive: true }));
  const root = join(import.meta.dirname, '../..');
  for (const part of ['bin', 'src', 'package.json'])
    await cp(join(root, part), join(checkout, part), { recursive: true });
  const { status, stderr } = spawnSync(process.execPath, [join(checkout, 'bin/hapax.js'), 'up'], { encoding: 'utf8' });
  expect(stderr).toMatch(/^hapax: dependencies are not installed .*: run "node scripts\/install.js"/);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(status).toBe(1);
});

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

test('a signal to npm alone stops everything that npm start has started', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'hapax-npm-'));
  // In a group of its own, so that nothing is left of it if it does not stop.
  const npm = spawn('npm', ['start'], {
    cwd: join(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
    env: { ...process.env, HAPAX_HOME: join(directory, 'home'), PORT: '0', TEMPORAL_PORT: '0', TEMPORAL_UI_PORT: '0' },
  });
  const ended = once(npm, 'exit');
  onTestFinished(async () => {
    try {
      process.kill(-(npm.pid ?? 0), 'SIGKILL');
    } catch {
      // It has stopped.
    }
    await eventually(() => expect(processesOf(directory)).toEqual([]));
    await rm(directory, { recursive: true });
  });
  const lines = createInterface(npm.stdout);
  for await (const line of lines) if (/^hapax: ready/.test(line)) break;
  npm.stdout.resume();
  npm.kill('SIGTERM');
  await ended;
  expect(processesOf(directory)).toEqual([]);
});

/** Writes the packages that a process loaded when it ends. */
const TELL_PACKAGES = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  const loaded = new Set();
  registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      const name = /node_modules\\/((?:@[^/]+\\/)?[^/]+)\\/[^]*$/.exec(found.url)?.[1];
      if (name) loaded.add(name);
      return found;
    },
  });
  process.on('exit', () => process.stderr.write('loaded: ' + [...loaded].join(' ')));
`)}`;

test('a command for people loads nothing of the servers: it starts as fast as it can', () => {
  const cases = [
    ['--help'],
    ['--version'],
    ['trigger', '--help'],
    ['list', '--url', 'http://127.0.0.1:1'],
    ['tasks', 'list', '--url', 'http://127.0.0.1:1'],
  ];
  for (const args of cases) {
    const { stderr } = spawnSync(process.execPath, ['--import', TELL_PACKAGES, entry, ...args], { encoding: 'utf8' });
    expect([args, /loaded: (.*)/.exec(stderr)?.[1]]).toEqual([args, 'commander']);
  }
  const { stderr } = spawnSync(process.execPath, ['--import', TELL_PACKAGES, entry, 'doctor'], {
    encoding: 'utf8',
    env: { ...process.env, PORT: 'x' },
  });
  expect(/loaded: (.*)/.exec(stderr)?.[1]).toContain('@temporalio/client');
});
