import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { installed } from './server-process.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = join(ROOT, 'test/celery');
const REQUIREMENTS = join(FOLDER, 'requirements.txt');

/** Made once per checkout, and again when the requirements change. */
const ENVIRONMENT = join(ROOT, `build/celery-${digestOf(REQUIREMENTS)}`);
export const PYTHON = join(ENVIRONMENT, 'bin/python');

const COMPLETE = `${ENVIRONMENT}.complete`;

/** Whether there is a Python with what test/celery/requirements.txt lists; it is fetched the first time. */
export function hasCelery(): boolean {
  if (existsSync(COMPLETE)) return true;
  const python = installed('python3');
  if (!python) return false;
  try {
    once(python, `${ENVIRONMENT}.made`, '', [python, '-m', 'venv', ENVIRONMENT]);
    once(python, COMPLETE, '', [PYTHON, '-m', 'pip', 'install', '--quiet', '-r', REQUIREMENTS]);
    return true;
  } catch {
    return false;
  }
}

/** Installs hapax-worker from a wheel, as its users do, unless it is there as it is in the checkout. */
export function installWorker(): void {
  const source = join(ROOT, 'workers/python');
  const files = readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.pyc'))
    .map(({ parentPath, name }) => join(parentPath, name));
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--force-reinstall', '--no-build-isolation', source];
  once(PYTHON, `${ENVIRONMENT}.worker`, digestOf(...files.sort()), [PYTHON, ...pip]);
}

/** Runs a command unless the file `mark` says that it ran for this `state`; other files of the run wait until it has. */
function once(python: string, mark: string, state: string, command: string[]): void {
  const options = { stdio: 'pipe', timeout: 500_000 } as const;
  execFileSync(python, [join(FOLDER, 'once.py'), mark, state, ...command], options);
}

function digestOf(...files: string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 12);
}

export interface CelerySpec {
  broker: string;
  /** `redis://...` or `rpc://`. */
  backend: string;
  conf?: Record<string, unknown>;
  steps: Array<{ do: string } & Record<string, unknown>>;
}

/** Runs a program of a Celery user; what each step came to. */
// biome-ignore lint/suspicious/noExplicitAny: whatever Python prints.
export async function celery(spec: CelerySpec): Promise<any[]> {
  const { stdout } = await promisify(execFile)(PYTHON, [join(FOLDER, 'client.py'), JSON.stringify(spec)], {
    cwd: ENVIRONMENT,
    timeout: 100_000,
  });
  return JSON.parse(stdout.trim().split('\n').at(-1)!);
}
