import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Our nodes for n8n: a package with dependencies of its own. */
export const PACKAGE = fileURLToPath(new URL('../../integrations/n8n', import.meta.url));
const INSTALLED = join(PACKAGE, 'node_modules/.package-lock.json');
const TIMEOUT_MS = 240_000;

/** Whether the tools to build and check our nodes are there; they are installed the first time. */
export function hasTools(): boolean {
  if (areInstalled()) return true;
  try {
    const options = { cwd: PACKAGE, stdio: 'ignore', timeout: TIMEOUT_MS } as const;
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], options);
  } catch {
    return false;
  }
  return areInstalled();
}

function areInstalled(): boolean {
  if (!existsSync(INSTALLED)) return false;
  const packages = (file: string) => JSON.parse(readFileSync(file, 'utf8')).packages;
  const [wanted, there] = [packages(join(PACKAGE, 'package-lock.json')), packages(INSTALLED)];
  return Object.keys(there).every((path) => there[path].version === wanted[path]?.version);
}

/** Compiles our nodes into `dist`, as they are published. */
export function buildNode(): void {
  if (!hasTools()) throw new Error(`npm ci failed in ${PACKAGE}`);
  rmSync(join(PACKAGE, 'dist'), { recursive: true, force: true });
  execFileSync(process.execPath, [join(PACKAGE, 'node_modules/typescript/bin/tsc')], {
    cwd: PACKAGE,
    stdio: 'inherit',
  });
  cpSync(join(PACKAGE, 'icons'), join(PACKAGE, 'dist/icons'), { recursive: true });
}

/** A compiled module of our nodes. */
// biome-ignore lint/suspicious/noExplicitAny: the types are those of n8n, which we do not have here.
export const compiled = (path: string): any => createRequire(join(PACKAGE, 'dist/'))(join(PACKAGE, 'dist', path));
