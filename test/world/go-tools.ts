import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { installed } from './server-process.ts';

const FOLDER = fileURLToPath(new URL('../../build/go', import.meta.url));

const TOOLS = {
  helm: 'helm.sh/helm/v4/cmd/helm@v4.3.2',
  kubeconform: 'github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0',
  versitygw: 'github.com/versity/versitygw/cmd/versitygw@v1.8.0',
  actionlint: 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.12',
  'temporal-server': 'go.temporal.io/server/cmd/server@v1.32.0',
  'temporal-sql-tool': 'go.temporal.io/server/cmd/tools/sql@v1.32.0',
} as const;

/** Measured under load, so it is optimized. Both share packages, which then compile once. */
const OPTIMIZED: ReadonlySet<string> = new Set(['temporal-server', 'temporal-sql-tool']);

export const HAS_GO = installed('go') !== undefined;
/** How long a build of a tool may take on a busy machine; helm compiles for minutes. */
export const BUILD_TIMEOUT_MS = 1_200_000;

/** Path of a program that is built from its Go module, once per checkout and version. */
export async function goTool(name: keyof typeof TOOLS): Promise<string> {
  const folder = join(FOLDER, basename(TOOLS[name]));
  // Go names a program after its package.
  const program = join(folder, basename(TOOLS[name]).replace(/@.*/, ''));
  if (existsSync(program)) return program;
  const making = join(FOLDER, `${basename(TOOLS[name])}-${process.pid}`);
  await mkdir(making, { recursive: true });
  // Without optimization, a build takes half the time, and these programs do little.
  const flags = OPTIMIZED.has(name) ? [] : ['-gcflags=all=-N -l'];
  const build = ['install', ...flags, '-ldflags=-s -w', TOOLS[name]];
  await promisify(execFile)('go', build, { env: { ...process.env, GOBIN: making }, timeout: BUILD_TIMEOUT_MS });
  await rename(making, folder).catch(async (error: unknown) => {
    // Another test file has built it meanwhile.
    await rm(making, { recursive: true });
    if (!existsSync(program)) throw error;
  });
  return program;
}
