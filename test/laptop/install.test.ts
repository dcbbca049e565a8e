import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { isAlive } from '../../src/laptop/processes.ts';

const root = join(import.meta.dirname, '../..');
/** A project with one dependency and one for development, both on disk; each test has a copy. */
let template: string;
let project: string;

beforeAll(async () => {
  template = project = await mkdtemp(join(tmpdir(), 'hapax-install-'));
  await mkdir(join(project, 'scripts'));
  await cp(join(root, 'scripts/install.js'), join(project, 'scripts/install.js'));
  for (const name of ['dep', 'tool']) {
    await mkdir(join(project, name));
    await writeFile(join(project, name, 'package.json'), JSON.stringify({ name, version: '1.0.0' }));
    await npm('pack', `./${name}`);
  }
  const json = {
    name: 'project',
    type: 'module',
    dependencies: { dep: 'file:dep-1.0.0.tgz' },
    devDependencies: { tool: 'file:tool-1.0.0.tgz' },
  };
  await writeFile(join(project, 'package.json'), JSON.stringify(json));
  await npm('install', '--package-lock-only', '--offline');
  return () => rm(template, { recursive: true, force: true });
});
beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'hapax-install-'));
  await cp(template, project, { recursive: true });
  return () => rm(project, { recursive: true, force: true });
});

async function outcome(child: ChildProcess): Promise<{ code: number | null; output: string }> {
  const exited = once(child, 'exit');
  const output = (await Promise.all([text(child.stdout!), text(child.stderr!)])).join('');
  const [code] = await exited;
  return { code, output };
}

const npm = (...args: string[]) => outcome(spawn('npm', args, { cwd: project }));
const env = { ...process.env, npm_execpath: '' };
const start = (...args: string[]) => spawn(process.execPath, ['scripts/install.js', ...args], { cwd: project, env });
const install = (...args: string[]) => outcome(start(...args));
const has = (name: string) =>
  stat(join(project, 'node_modules', name)).then(
    () => true,
    () => false,
  );

test('it installs once, and again only when the lock file changes or more is needed', async () => {
  const first = await install('--production');
  expect(first).toMatchObject({ code: 0, output: expect.stringContaining('installing dependencies') });
  expect([await has('dep'), await has('tool')]).toEqual([true, false]);
  expect(await install('--production')).toEqual({ code: 0, output: '' });

  expect((await install()).output).toContain('installing dependencies');
  expect([await has('dep'), await has('tool')]).toEqual([true, true]);
  expect(await install()).toEqual({ code: 0, output: '' });
  expect(await install('--production')).toEqual({ code: 0, output: '' });

  const lock = join(project, 'package-lock.json');
  await writeFile(lock, `${await readFile(lock, 'utf8')}\n`);
  expect((await install('--production')).output).toContain('installing dependencies');
  expect(await has('tool')).toBe(true); // never taken away from who had it
});

test('what npm installed by itself is kept', async () => {
  await npm('ci', '--omit=dev');
  expect(await install('--production')).toEqual({ code: 0, output: '' });
  expect((await install()).output).toContain('installing dependencies');
});

test('a failure keeps what npm said, and is tried again', async () => {
  const packageJson = join(project, 'package.json');
  const good = await readFile(packageJson, 'utf8');
  await writeFile(packageJson, good.replace('file:dep', 'file:other'));
  const { code, output } = await install();
  expect(code).toBe(1);
  expect(output).toMatch(/npm error[\s\S]*hapax: "npm ci" failed, see above/);
  await writeFile(packageJson, good);
  expect((await install()).code).toBe(0);
});

test('an interrupt ends npm, too, with code 130', async () => {
  const json = JSON.parse(await readFile(join(project, 'package.json'), 'utf8'));
  const hang = 'node -e "console.log(process.pid); setInterval(() => {}, 60000)"';
  await writeFile(join(project, 'package.json'), JSON.stringify({ ...json, scripts: { preinstall: hang } }));
  await npm('install', '--package-lock-only', '--offline', '--ignore-scripts');
  await writeFile(join(project, '.npmrc'), 'foreground-scripts=true\n');
  const child = start();
  let hanging = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    hanging = Number(/^\d+$/m.exec(chunk.toString())?.[0] ?? 0);
    if (hanging > 0) child.kill('SIGINT');
  });
  expect((await outcome(child)).code).toBe(130);
  expect(hanging).toBeGreaterThan(0);
  expect(isAlive(hanging)).toBe(false);
});

test('an old Node is refused in one line', async () => {
  const pretend = `Object.defineProperty(process.versions, 'node', { value: '18.20.0' }); await import(${JSON.stringify(
    join(project, 'scripts/install.js'),
  )})`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', pretend], { cwd: project });
  expect(await outcome(child)).toEqual({
    code: 1,
    output: 'hapax: Node 18.20.0 is too old: 20.19 or newer is needed\n',
  });
});
