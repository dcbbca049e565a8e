import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const VERSION = '4.32.5';
const VENV = fileURLToPath(new URL(`../../build/schemathesis-${VERSION}`, import.meta.url));

/**
 * The path of Schemathesis, which reads an OpenAPI description and sends what it allows and what it forbids. It is
 * installed once, into an environment of its own under build/.
 * @throws Error that says what is missing, where this machine cannot have it.
 */
export function installedSchemathesis(): string {
  const program = join(VENV, 'bin/schemathesis');
  if (existsSync(program)) return program;
  const isNewEnough = 'import sys; sys.exit(sys.version_info < (3, 10))';
  if (spawnSync('python3', ['-c', isNewEnough]).status !== 0) throw new Error('there is no python3 >= 3.10');
  install('python3', ['-m', 'venv', '--clear', VENV]);
  install(join(VENV, 'bin/python'), ['-m', 'pip', 'install', '--quiet', `schemathesis==${VERSION}`]);
  return program;
}

function install(command: string, args: string[]): void {
  try {
    execFileSync(command, args, { stdio: 'pipe', encoding: 'utf8', timeout: 120_000 });
  } catch (error) {
    const { message, stderr } = error as Error & { stderr?: string };
    throw new Error(stderr?.trim().split('\n').at(-1) || message);
  }
}
