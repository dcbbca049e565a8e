import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FAILURE_CONVERTER } from './place.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ENTRY = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));
const INTERCEPTORS = ['one-local-activity', 'trace-headers'].map((name) =>
  fileURLToPath(new URL(`../workflows/${name}.ts`, import.meta.url)),
);

/** The source files of a bundle. */
const SOURCES = [
  'src/workflows/**/*.ts',
  'src/domain/**/*.ts',
  'src/contracts/**/*.ts',
  'package-lock.json',
  'src/worker/bundle.ts',
];

/**
 * Returns the path of the bundled workflow code. Builds it once (about 3 s), then finds it by the hash of its sources.
 * Images already contain it.
 */
export async function workflowBundle(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of globSync(SOURCES, { cwd: ROOT }).sort())
    hash.update(file).update(await readFile(join(ROOT, file)));
  const path = join(ROOT, 'build', `workflows-${hash.digest('hex').slice(0, 16)}.js`);
  if (await exists(path)) return path;
  const { bundleWorkflowCode } = await import('@temporalio/worker');
  // Our modules keep no state, so all workflows of a thread share them. Otherwise each workflow would load them again.
  const { code } = await bundleWorkflowCode({
    workflowsPath: ENTRY,
    workflowInterceptorModules: INTERCEPTORS,
    preloadModules: [ENTRY, ...INTERCEPTORS],
    failureConverterPath: FAILURE_CONVERTER,
    logger: QUIET,
  });
  await mkdir(join(ROOT, 'build'), { recursive: true });
  // Two processes may build at once. Each renames a whole file into place.
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, inOneByteCharacters(withoutSources(code)));
  await rename(draft, path);
  return path;
}

const SOURCE_MAP = /(\/\/# sourceMappingURL=data:[^,]*;base64,)(.*)/;

/** Removes the text of the files from the source map, which only needs to name files and lines. The text is a third of the bundle. */
function withoutSources(code: string): string {
  return code.replace(SOURCE_MAP, (_, head: string, map: string) => {
    const { sourcesContent: _text, ...rest } = JSON.parse(Buffer.from(map, 'base64').toString());
    return head + Buffer.from(JSON.stringify(rest)).toString('base64');
  });
}

/**
 * Escapes characters beyond Latin-1. A single one, even in a comment, makes V8 keep the whole text in two bytes per
 * character, here in two threads.
 */
function inOneByteCharacters(code: string): string {
  return code.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

const QUIET = { log() {}, trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error };
