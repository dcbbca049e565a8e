import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Schemathesis and all that it needs, each by version and digest; made as its first line says. */
const REQUIREMENTS = fileURLToPath(new URL('schemathesis.txt', import.meta.url));

/**
 * The path of Schemathesis, which reads an OpenAPI description and sends what it allows and what it forbids. It is
 * installed once, into an environment of its own under build/.
 * @throws Error that says what is missing, where this machine cannot have it.
 */
export function installedSchemathesis(): string {
  const digest = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 12);
  const environment = fileURLToPath(new URL(`../../build/schemathesis-${digest}`, import.meta.url));
  const program = join(environment, 'bin/schemathesis');
  if (existsSync(program)) return program;
  const isNewEnough = 'import sys; sys.exit(sys.version_info < (3, 11))';
  if (spawnSync('python3', ['-c', isNewEnough]).status !== 0) throw new Error('there is no python3 >= 3.11');
  install('python3', ['-m', 'venv', '--clear', environment]);
  const pip = ['-m', 'pip', 'install', '--quiet', '--require-hashes', '--only-binary', ':all:', '-r', REQUIREMENTS];
  install(join(environment, 'bin/python'), pip);
  return program;
}

function install(command: string, args: string[]): void {
  try {
    execFileSync(command, args, { stdio: 'pipe', encoding: 'utf8', timeout: 280_000 });
  } catch (error) {
    const { message, stderr } = error as Error & { stderr?: string };
    throw new Error(stderr?.trim().split('\n').at(-1) || message);
  }
}
