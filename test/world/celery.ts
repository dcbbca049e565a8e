import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
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

/** Written last: what was cut off is made again. */
const COMPLETE = join(ENVIRONMENT, 'complete');

/** Whether there is a Python with what test/celery/requirements.txt lists; it is fetched the first time. */
export function hasCelery(): boolean {
  if (existsSync(COMPLETE)) return true;
  const python = installed('python3');
  if (!python) return false;
  try {
    const options = { stdio: 'ignore', timeout: 250_000 } as const;
    execFileSync(python, ['-m', 'venv', ENVIRONMENT], options);
    execFileSync(PYTHON, ['-m', 'pip', 'install', '--quiet', '-r', REQUIREMENTS], options);
    writeFileSync(COMPLETE, '');
    return true;
  } catch {
    return false;
  }
}

function digestOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 12);
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
