import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { installed } from './server-process.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = join(ROOT, 'test/celery');
/** Made once per checkout. */
const ENVIRONMENT = join(ROOT, 'build/celery');
export const PYTHON = join(ENVIRONMENT, 'bin/python');

/** Whether there is a Python with the Celery of test/celery/requirements.txt; it is fetched the first time. */
export function hasCelery(): boolean {
  if (hasRequired()) return true;
  const python = installed('python3');
  if (!python) return false;
  try {
    const options = { stdio: 'ignore', timeout: 180_000 } as const;
    execFileSync(python, ['-m', 'venv', ENVIRONMENT], options);
    execFileSync(PYTHON, ['-m', 'pip', 'install', '--quiet', '-r', join(FOLDER, 'requirements.txt')], options);
  } catch {
    return false;
  }
  return hasRequired();
}

function hasRequired(): boolean {
  if (!existsSync(PYTHON)) return false;
  const [, version] = /^celery.*==(.*)$/m.exec(readFileSync(join(FOLDER, 'requirements.txt'), 'utf8')) ?? [];
  const script = 'import celery, redis; print(celery.__version__)';
  try {
    return execFileSync(PYTHON, ['-c', script], { encoding: 'utf8', stdio: 'pipe' }).trim() === version;
  } catch {
    return false;
  }
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
