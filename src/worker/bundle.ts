import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ENTRY = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));
const INTERCEPTORS = fileURLToPath(new URL('../workflows/one-local-activity.ts', import.meta.url));

/** All that a bundle is made from. */
const SOURCES = [
  'src/workflows/**/*.ts',
  'src/domain/**/*.ts',
  'src/contracts/**/*.ts',
  'package-lock.json',
  'src/worker/bundle.ts',
];

/**
 * The path of the bundled workflow code for these sources: built once (about 3 s), then found by the hash of what it is
 * made from. Images build it ahead.
 */
export async function workflowBundle(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of globSync(SOURCES, { cwd: ROOT }).sort())
    hash.update(file).update(await readFile(join(ROOT, file)));
  const path = join(ROOT, 'build', `workflows-${hash.digest('hex').slice(0, 16)}.js`);
  if (await exists(path)) return path;
  const { bundleWorkflowCode } = await import('@temporalio/worker');
  // Our modules keep no state, so all workflows of a thread can share them; otherwise each would load all of them anew.
  const { code } = await bundleWorkflowCode({
    workflowsPath: ENTRY,
    workflowInterceptorModules: [INTERCEPTORS],
    preloadModules: [ENTRY, INTERCEPTORS],
    logger: QUIET,
  });
  await mkdir(join(ROOT, 'build'), { recursive: true });
  // Two processes may build at once; each renames a whole file into place.
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, inOneByteCharacters(withoutSources(code)));
  await rename(draft, path);
  return path;
}

const SOURCE_MAP = /(\/\/# sourceMappingURL=data:[^,]*;base64,)(.*)/;

/** The map of the bundle tells where in which file a line stands; the text of the files, a third of the bundle, is not needed. */
function withoutSources(code: string): string {
  return code.replace(SOURCE_MAP, (_, head: string, map: string) => {
    const { sourcesContent: _text, ...rest } = JSON.parse(Buffer.from(map, 'base64').toString());
    return head + Buffer.from(JSON.stringify(rest)).toString('base64');
  });
}

/** V8 holds text with one character beyond Latin-1 in two bytes each, here in two threads; some comments of packages have one. */
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
