import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise, type ICruiseOptions, type ICruiseResult } from 'dependency-cruiser';
import { afterAll, describe, expect, it } from 'vitest';
import { workflowBundle } from '../../src/worker/bundle.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const { options, forbidden } = JSON.parse(readFileSync(join(ROOT, '.dependency-cruiser.json'), 'utf8'));

/** Imports below src that break a rule, as `rule: from -> to`. */
async function violations(baseDir: string): Promise<string[]> {
  const { extensions } = options.enhancedResolveOptions;
  const cruiseOptions = { ...options, baseDir, validate: true, ruleSet: { forbidden } } as ICruiseOptions;
  const { output } = await cruise(['src'], cruiseOptions, { extensions });
  const { summary, modules } = output as ICruiseResult;
  // A cruise that finds nothing to look at would find no violation either.
  if (modules.length < 5) throw new Error(`looked at ${modules.length} modules only`);
  return summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`);
}

const temporary: string[] = [];
afterAll(() => {
  for (const directory of temporary) rmSync(directory, { recursive: true, force: true });
});

/** A tree of files in a directory of its own. */
function tree(files: Record<string, string>): string {
  const directory = mkdtempSync(join(tmpdir(), 'hapax-rules-'));
  temporary.push(directory);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return directory;
}

/** Sources that each break the rule that names them, and a few that break none. */
const BAD: Array<[rule: string, path: string, source: string]> = [
  ['contracts-import-zod-only', 'src/contracts/reads.ts', "import { readFile } from 'node:fs/promises';"],
  ['domain-is-pure', 'src/domain/asks.ts', "import pino from 'pino';"],
  ['domain-is-pure', 'src/domain/reads.ts', "import { readFile } from 'node:fs';"],
  ['workflows-stay-in-the-sandbox', 'src/workflows/stores.ts', "import { a } from '../store/a.ts';"],
  ['workflows-stay-in-the-sandbox', 'src/workflows/hashes.ts', "import { createHash } from 'node:crypto';"],
  ['workflows-stay-in-the-sandbox', 'src/workflows/parses.ts', "import { z } from 'zod';"],
  ['workflows-import-types-of-contracts', 'src/workflows/schemas.ts', "import { a } from '../contracts/a.ts';"],
  ['activities-do-the-work', 'src/activities/serves.ts', "import { a } from '../api/a.ts';"],
  ['activities-import-types-of-ports', 'src/activities/runs.ts', "import { a } from '../workflows/ports/a.ts';"],
  ['integrations-know-no-engine', 'src/integrations/stores.ts', "import { a } from '../store/a.ts';"],
  ['store-is-sql', 'src/store/calls.ts', "import { a } from '../integrations/a.ts';"],
  ['api-is-http', 'src/api/works.ts', "import { a } from '../activities/a.ts';"],
  ['api-packages', 'src/api/queries.ts', "import { canonicalize } from 'canonicalize';"],
  ['api-is-http', 'src/api/routes/names.ts', "import type { a } from '../../workflows/ports/a.ts';"],
  ['console-is-pages', 'src/console/pages/routes.ts', "import { a } from '../../api/a.ts';"],
  ['console-packages', 'src/console/connects.ts', "import { Client } from '@temporalio/client';"],
  ['api-mounts-the-console', 'src/api/pages.ts', "import { a } from '../console/a.ts';"],
  ['api-names-the-client-only', 'src/api/routes/starts.ts', "import { Client } from '@temporalio/client';"],
  ['commands-know-no-door', 'src/commands/answers.ts', "import { a } from '../api/a.ts';"],
  ['commands-import-types-of-workflows', 'src/commands/loads.ts', "import { a } from '../workflows/ports/a.ts';"],
  ['bridge-is-amqp', 'src/bridge/serves.ts', "import { a } from '../api/a.ts';"],
  ['simulator-stands-alone', 'src/simulator/shares.ts', "import { a } from '../domain/a.ts';"],
  ['tasks-are-for-users', 'src/tasks/stores.ts', "import { a } from '../store/a.ts';"],
  ['nobody-else-loads-tasks', 'src/api/loads-tasks.ts', "import { a } from '../tasks/a.ts';"],
  ['laptop-embeds-infrastructure', 'src/laptop/serves.ts', "import { a } from '../api/a.ts';"],
  ['cli-loads-processes-late', 'src/cli/early.ts', "import { a } from '../processes/a.ts';"],
  ['cli-knows-contracts-and-processes', 'src/cli/stores.ts', "import { a } from '../store/a.ts';"],
  ['nobody-imports-the-top', 'src/store/tops.ts', "import { a } from '../processes/a.ts';"],
  ['vendors-only-in-integrations', 'src/activities/dispatches.ts', "import { Octokit } from '@octokit/rest';"],
  ['opentelemetry-is-loaded-late', 'src/processes/traces.ts', "import { trace } from '@opentelemetry/api';"],
  ['prom-client-only-in-processes', 'src/integrations/counts.ts', "import { Counter } from 'prom-client';"],
  ['sql-only-in-store', 'src/processes/queries.ts', "import postgres from 'postgres';"],
  ['no-circles', 'src/domain/left.ts', "import { right } from './right.ts'; export const left = 1;"],
  ['no-unresolvable', 'src/domain/lost.ts', "import { a } from './nowhere.ts';"],
  ['no-development-packages', 'src/processes/tests.ts', "import { it } from 'vitest';"],
];
const GOOD: Array<[path: string, source: string]> = [
  ['src/workflows/types.ts', "import type { a } from '../contracts/a.ts';"],
  ['src/workflows/constants.ts', "import { a } from '../contracts/builds/build-workflow.ts';"],
  ['src/activities/ports.ts', "import type { a } from '../workflows/ports/a.ts';"],
  ['src/api/mounts.ts', "import { a } from '../console/app.ts';"],
  ['src/api/server.ts', "import type { Client } from '@temporalio/client';"],
  [
    'src/commands/starts.ts',
    "import { Client } from '@temporalio/client'; import type { a } from '../workflows/ports/a.ts';",
  ],
  ['src/cli/late.ts', "export const load = () => import('../processes/a.ts');"],
  ['src/domain/typed-left.ts', "import type { R } from './typed-right.ts'; export type L = 1;"],
  ['src/domain/typed-right.ts', "import type { L } from './typed-left.ts'; export type R = 1;"],
];
const MODULES = [
  'contracts',
  'domain',
  'store',
  'api',
  'console',
  'activities',
  'integrations',
  'processes',
  'tasks',
  'workflows/ports',
];
const PACKAGES = [
  'zod',
  'pino',
  'canonicalize',
  '@temporalio/client',
  '@octokit/rest',
  'postgres',
  'prom-client',
  '@opentelemetry/api',
];

describe('imports', () => {
  it('hold the table in CONTRIBUTING.md', { timeout: 60_000 }, async () => {
    expect(await violations(ROOT)).toEqual([]);
  });

  it('would be refused by each rule that is broken, and by no other where it holds', { timeout: 60_000 }, async () => {
    const dependencies = Object.fromEntries(PACKAGES.map((name) => [name, '1.0.0']));
    const installed = [...PACKAGES, 'vitest'].flatMap((name) => [
      [`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' })],
      [`node_modules/${name}/index.js`, ''],
    ]);
    const found = await violations(
      tree({
        'package.json': JSON.stringify({ name: 'x', dependencies, devDependencies: { vitest: '1.0.0' } }),
        ...Object.fromEntries(installed),
        ...Object.fromEntries(MODULES.map((name) => [`src/${name}/a.ts`, 'export const a = 1;'])),
        'src/console/app.ts': 'export const a = 1;',
        'src/contracts/builds/build-workflow.ts': 'export const a = 1;',
        'src/domain/right.ts': "import { left } from './left.ts'; export const right = 1;",
        ...Object.fromEntries(GOOD),
        ...Object.fromEntries(BAD.map(([, path, source]) => [path, source])),
      }),
    );
    for (const [rule, path] of BAD) {
      expect(
        found.some((line) => line.startsWith(`${rule}: ${path} ->`)),
        `${rule} in ${path}; found:\n${found.join('\n')}`,
      ).toBe(true);
    }
    for (const [path] of GOOD) expect(found.filter((line) => line.includes(`: ${path} ->`))).toEqual([]);
    const shown = new Set(BAD.map(([rule]) => rule));
    expect(forbidden.map(({ name }: { name: string }) => name).filter((name: string) => !shown.has(name))).toEqual([]);
  });
});

/** Files that people write, below a directory. */
function sources(root: string): string[] {
  // What is installed or built beside them comes and goes while other tests run.
  const folders = ['src', 'test', 'scripts', 'bin', 'deploy', 'docs'].filter((folder) =>
    existsSync(join(root, folder)),
  );
  const within = folders.flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }));
  return [...readdirSync(root, { withFileTypes: true }), ...within]
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !/(^|\/)node_modules\//.test(path))
    .filter((path) => /\.(ts|js|sql|md|ya?ml|json|sh|txt)$|Dockerfile$/.test(path) && path !== 'package-lock.json')
    .sort();
}

const FOLDERS = [
  'activities',
  'api',
  'bridge',
  'cli',
  'commands',
  'console',
  'contracts',
  'domain',
  'integrations',
  'laptop',
  'processes',
  'simulator',
  'store',
  'tasks',
  'worker',
  'workflows',
];
const VAGUE_NAMES = /^(utils?|helpers?|common|misc|shared|lib)(\.[a-z]+)*$/;
/** A tripwire, not a wall: a file that reads best long may be named here with the reason. */
const MAX_LINES = 400;
// In pieces, or this file would break its own rule.
const HOSTS = new RegExp(
  ['registry\\.npm' + 'js', 'files\\.python' + 'hosted', 'py' + 'pi\\.org', 'static\\.cra' + 'tes'].join('|'),
);
const OWN_MACHINE = new RegExp(`(?<![\\w.*-])/(?:${'wo' + 'rk'}|${'ro' + 'ot'})(?![\\w.-])`);

function faultsOfNames(paths: string[]): string[] {
  return paths
    .filter((path) => path.split('/').some((part) => VAGUE_NAMES.test(part)))
    .map((path) => `${path}: says nothing about what it holds`);
}

function faultsOfText(path: string, text: string): string[] {
  const faults: string[] = [];
  const lines = text.split('\n').length - 1;
  if (/^(src|test)\/.*\.ts$/.test(path) && lines > MAX_LINES) faults.push(`${path}: ${lines} lines`);
  if (HOSTS.test(text)) faults.push(`${path}: names the host of a package registry`);
  if (OWN_MACHINE.test(text)) faults.push(`${path}: names a directory of somebody's machine`);
  return faults;
}

describe('files', () => {
  const paths = sources(ROOT);
  const code = paths.filter((path) => /^(src|test|scripts|bin)\//.test(path));

  it('stand in folders that have a reason', () => {
    expect(readdirSync(join(ROOT, 'src')).sort()).toEqual(FOLDERS);
  });

  it('have names that say what they hold', () => {
    expect(code.length).toBeGreaterThan(50);
    expect(faultsOfNames(code)).toEqual([]);
    for (const bad of ['src/utils/a.ts', 'src/api/helpers.ts', 'test/common.test.ts', 'src/misc.ts']) {
      expect(faultsOfNames([bad]), bad).toHaveLength(1);
    }
    expect(faultsOfNames(['src/simulator/ledger.ts', 'src/domain/commonality.ts'])).toEqual([]);
  });

  it('are not long, name no registry host and no directory of one machine', () => {
    expect(paths.flatMap((path) => faultsOfText(path, readFileSync(join(ROOT, path), 'utf8')))).toEqual([]);
    const machine = `/${'wo' + 'rk'}`;
    expect(faultsOfText('src/a.ts', 'x\n'.repeat(MAX_LINES))).toEqual([]);
    expect(faultsOfText('src/a.ts', 'x\n'.repeat(MAX_LINES + 1))).toHaveLength(1);
    expect(faultsOfText('test/a.ts', `'${machine}/main'`)).toHaveLength(1);
    expect(faultsOfText('README.md', `cd ${machine}`)).toHaveLength(1);
    expect(faultsOfText('README.md', `https://registry.npm${'js'}.org/hono`)).toHaveLength(1);
    expect(
      faultsOfText('src/a.ts', `.github${machine}flows/build.yml and src${machine}er and ./frame${machine.slice(1)}`),
    ).toEqual([]);
  });
});

/** Modules that webpack put into a bundle, as the comments before each say. */
function modulesOf(bundle: string): string[] {
  return [...bundle.matchAll(/^\/\*\*\*\/ "([^"]+)":?/gm)].map(([, name = '']) => name);
}

function faultsOfBundle(bundle: string): string[] {
  const faults = modulesOf(bundle).filter((name) =>
    /node_modules\/(zod|@octokit|hono|postgres)\/|^(node:|external )/.test(name),
  );
  const required = [...bundle.matchAll(/\brequire\("(node:[^"]+|fs|crypto|net|http|child_process)"\)/g)].map(
    ([call]) => call,
  );
  const megabytes = Buffer.byteLength(bundle) / 1e6;
  return [...faults, ...required, ...(megabytes > 2.5 ? [`${megabytes.toFixed(1)} MB`] : [])];
}

describe('the workflow bundle', () => {
  it('holds neither zod nor parts of Node, and stays under 2.5 MB', { timeout: 60_000 }, async () => {
    const bundle = readFileSync(await workflowBundle(), 'utf8');
    expect(modulesOf(bundle)).toContain('./src/workflows/build/build.ts');
    expect(faultsOfBundle(bundle)).toEqual([]);
    expect(faultsOfBundle('/***/ "./node_modules/zod/v4/index.js":\n')).toHaveLength(1);
    expect(faultsOfBundle('module.exports = require("node:fs");')).toHaveLength(1);
    expect(faultsOfBundle('x'.repeat(2_500_001))).toHaveLength(1);
  });
});
