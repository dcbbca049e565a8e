import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { pack } from '../../scripts/pack.ts';
import { findTemporalCli } from '../../src/laptop/temporal-cli.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** A Node of this machine that can't run TypeScript, if it has one. */
const oldNode = (process.env.PATH ?? '')
  .split(':')
  .map((directory) => join(directory, 'node'))
  .find((node) => {
    const { stdout = '' } = spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' });
    return /^(20|22)\./.test(stdout);
  });

describe('the package that is published', () => {
  let prefix: string;
  let files: string[];
  let bytes: number;
  let temporalCli: string;

  /** As `npm install --global` lays it out; the packages that it needs are those of this checkout, so nothing is downloaded. */
  beforeAll(async () => {
    temporalCli = await findTemporalCli({ env: process.env, report: () => {} });
    prefix = mkdtempSync(join(tmpdir(), 'hapax-package-'));
    const archive = await pack(join(ROOT, 'build', `package-${process.pid}`));
    bytes = readFileSync(archive).length;
    const modules = join(prefix, 'lib/node_modules');
    mkdirSync(modules, { recursive: true });
    mkdirSync(join(prefix, 'bin'));
    files = execFileSync('tar', ['xzvf', archive, '-C', modules], { encoding: 'utf8' }).trim().split('\n');
    execFileSync('mv', ['package', 'hapax'], { cwd: modules });
    symlinkSync(join(ROOT, 'node_modules'), join(modules, 'hapax/node_modules'));
    symlinkSync('../lib/node_modules/hapax/bin/hapax.js', join(prefix, 'bin/hapax'));
    rmSync(archive);
    rmSync(join(ROOT, 'build', `package-${process.pid}`), { recursive: true });
  });
  afterAll(() => rmSync(prefix, { recursive: true, force: true }));

  const hapax = (args: string[], node?: string) => {
    const env = {
      PATH: process.env.PATH,
      HOME: prefix,
      HAPAX_ENV_FILE: '',
      HAPAX_HOME: join(prefix, 'home'),
      TEMPORAL_CLI: temporalCli,
    };
    const bin = join(prefix, 'bin/hapax');
    return node
      ? spawnSync(node, [bin, ...args], { env, encoding: 'utf8', cwd: prefix })
      : spawnSync(bin, args, { env, encoding: 'utf8', cwd: prefix });
  };

  it('holds what runs, its licence and docs, and nothing of development', () => {
    expect(files).toEqual(
      expect.arrayContaining(['package/README.md', 'package/LICENSE', 'package/docs/operations.md']),
    );
    expect(
      files.filter((file) => /\.ts$|^package\/(test|bench|scripts|deploy|node_modules)|tsconfig|\.env/.test(file)),
    ).toEqual([]);
    expect(bytes).toBeLessThan(1_500_000);
    const published = JSON.parse(readFileSync(join(prefix, 'lib/node_modules/hapax/package.json'), 'utf8'));
    expect(published).toMatchObject({
      name: 'hapax',
      version: packageJson.version,
      bin: packageJson.bin,
      engines: packageJson.engines,
    });
    expect(published).not.toHaveProperty('devDependencies');
    expect(published).not.toHaveProperty('scripts');
    expect(published).not.toHaveProperty('private');
  });

  it('runs a command, from the path, and gives its exit code on', () => {
    expect(hapax(['--version'])).toMatchObject({ status: 0, stdout: `${packageJson.version}\n`, stderr: '' });
    expect(hapax(['list', '--url', 'http://127.0.0.1:1'])).toMatchObject({ status: 5, stdout: '' });
  });

  it.skipIf(!oldNode)('runs on an old Node, through the Node that it brings', () => {
    expect(hapax(['--version'], oldNode)).toMatchObject({ status: 0, stdout: `${packageJson.version}\n`, stderr: '' });
  });

  it('runs a build: database, Temporal, API, worker and threads are all in it', () => {
    const { status, stdout, stderr } = hapax(['demo'], process.execPath);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/build 1: success; \d+ events/);
  });

  it('writes nothing beside itself', () => {
    const installed = execFileSync(
      'find',
      ['.', '-newer', 'package.json', '-type', 'f', '-not', '-path', './node_modules/*'],
      {
        cwd: join(prefix, 'lib/node_modules/hapax'),
        encoding: 'utf8',
      },
    );
    expect(
      installed
        .split('\n')
        .filter((path) => /postgres|\.cache|workflows-/.test(path) && !files.includes(path.replace('.', 'package'))),
    ).toEqual([]);
  });
});
