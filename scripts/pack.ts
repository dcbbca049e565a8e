/**
 * `node scripts/pack.ts`: makes the package that is published, in build/package, and its archive beside. Node runs TypeScript
 * everywhere but below node_modules, so the package holds JavaScript: the same lines without their types.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import packageJson from '../package.json' with { type: 'json' };

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const WHOLE = ['README.md', 'LICENSE', 'CHANGELOG.md', ...globSync('docs/*.md', { cwd: ROOT })];

/** Names of our files, in imports and where they are handed on: threads, sources of the workflow bundle. */
const FILE_NAME = /(['"`])([^'"`\n]*)\.ts\1/g;

function javaScriptOf(text: string): string {
  return text.replaceAll(FILE_NAME, '$1$2.js$1');
}

/** Makes the package in a directory of the checkout, whose packages it finds. Gives the path of the archive. */
export async function pack(directory: string): Promise<string> {
  rmSync(directory, { recursive: true, force: true });
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text, { mode: path.startsWith('bin/') ? 0o755 : 0o644 });
  };
  const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
  for (const path of WHOLE) write(path, read(path));
  write('bin/hapax.js', javaScriptOf(read('bin/hapax.js')));
  for (const path of globSync('src/**/*', { cwd: ROOT, exclude: ['**/tsconfig.json'] })) {
    if (path.endsWith('.ts')) write(path.replace(/\.ts$/, '.js'), javaScriptOf(stripTypeScriptTypes(read(path))));
    else if (/\.[a-z]+$/.test(path)) cpSync(join(ROOT, path), join(directory, path));
  }
  const { name, version, description, license, type, engines, bin, dependencies, optionalDependencies } = packageJson;
  const { peerDependencies, peerDependenciesMeta } = packageJson;
  const exports = JSON.parse(javaScriptOf(JSON.stringify(packageJson.exports)));
  const files = ['bin', 'src', 'build', 'docs', 'CHANGELOG.md'];
  const published = {
    name,
    version,
    description,
    license,
    type,
    engines,
    bin,
    exports,
    files,
    dependencies,
    optionalDependencies,
    peerDependencies,
    peerDependenciesMeta,
  };
  write('package.json', JSON.stringify(published, null, 2));
  // Bundled ahead: where it is installed, nothing may be written, and a start takes seconds less.
  const bundle = join(directory, 'src/worker/bundle.js');
  execFileSync(process.execPath, ['--eval', `import(${JSON.stringify(bundle)}).then((it) => it.workflowBundle())`]);
  const archive = execFileSync(
    'npm',
    ['pack', '--json', '--loglevel=error', '--pack-destination', dirname(directory)],
    {
      cwd: directory,
      encoding: 'utf8',
    },
  );
  const [packed] = Object.values(JSON.parse(archive)) as Array<{ filename: string }>;
  return join(dirname(directory), packed!.filename);
}

if (import.meta.main) console.log(await pack(join(ROOT, 'build/package')));
