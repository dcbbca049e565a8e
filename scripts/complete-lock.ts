/**
 * Completes package-lock.json with the optional packages of other platforms. npm leaves out those that it could not
 * fetch when it wrote the file, and `npm ci` then refuses the file on every platform. Each entry gets the digest that the
 * registry has, without which npm would install whatever it is served. Run it with Node 24 after a change of the packages:
 * `node scripts/complete-lock.ts`.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

interface Entry {
  version?: string;
  integrity?: string;
  link?: boolean;
  dev?: boolean;
  engines?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}
export interface Lock {
  packages: Record<string, Entry>;
}

export const LOCK_FILE = fileURLToPath(new URL('../package-lock.json', import.meta.url));

/** Optional packages that an entry asks for by an exact version and that the lock file does not hold. */
export function missingOptional({ packages }: Lock): Array<{ name: string; version: string; by: Entry }> {
  return Object.entries(packages).flatMap(([path, by]) =>
    Object.entries(by.optionalDependencies ?? {})
      .filter(
        ([name, version]) =>
          /^\d/.test(version) && !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`],
      )
      .map(([name, version]) => ({ name, version, by })),
  );
}

/** Places of packages that are installed without a look at what they hold. */
export function withoutIntegrity({ packages }: Lock): string[] {
  return Object.entries(packages)
    .filter(([path, { integrity, link }]) => path !== '' && !link && !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''))
    .map(([path]) => path);
}

async function integrityOf(name: string, version: string): Promise<string> {
  const { stdout } = await promisify(execFile)('npm', ['view', `${name}@${version}`, 'dist.integrity']);
  return stdout.trim();
}

const SYSTEMS = ['linux', 'darwin', 'win32', 'android', 'freebsd', 'openbsd', 'netbsd', 'sunos', 'aix', 'openharmony'];
const PROCESSORS = /-(x64|arm64|ia32|arm|ppc64|s390x|riscv64|loong64)(?=-|$)/;

function entryOf(name: string, version: string, by: Entry): Entry {
  const os = SYSTEMS.find((system) => name.includes(`-${system}`));
  const cpu = PROCESSORS.exec(name)?.[1];
  // Without both, npm would try to install it everywhere.
  if (!os || !cpu) throw new Error(`${name}: for which platform is it?`);
  return {
    version,
    ...{ cpu: [cpu] },
    ...(by.dev ? { dev: true } : {}),
    ...(name.endsWith('-musl') ? { libc: ['musl'] } : {}),
    ...{ optional: true, os: [os] },
    ...(by.engines ? { engines: by.engines } : {}),
  };
}

if (import.meta.main) {
  const lock = JSON.parse(await readFile(LOCK_FILE, 'utf8')) as Lock;
  for (const { name, version, by } of missingOptional(lock))
    lock.packages[`node_modules/${name}`] = entryOf(name, version, by);
  for (const path of withoutIntegrity(lock)) {
    const { version = '', integrity: _, ...rest } = lock.packages[path] ?? {};
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    lock.packages[path] = { version, integrity: await integrityOf(name, version), ...rest };
  }
  // The root first, the rest in the order npm writes.
  const { '': root = {}, ...others } = lock.packages;
  const sorted = Object.entries(others).sort(([a], [b]) => a.localeCompare(b, 'en'));
  lock.packages = { '': root, ...Object.fromEntries(sorted) };
  await writeFile(LOCK_FILE, `${JSON.stringify(lock, null, 2)}\n`);
}
