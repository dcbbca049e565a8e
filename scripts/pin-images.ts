/**
 * Names the container images that the deployment takes from registries by the digest of what they are, not by the tag alone,
 * which its owner can point at something else. Run it before a release, on a machine with Docker and its registries:
 *
 *     node scripts/pin-images.ts           looks up each digest and writes it behind the tag
 *     node scripts/pin-images.ts --check   fails, and names them, where images have no digest
 */
import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The files that name images. */
export const IMAGE_FILES = [
  'deploy/Dockerfile',
  'docker-compose.yml',
  'deploy/docker-compose.bridge.yml',
  ...globSync('deploy/podman/*.container', { cwd: ROOT }).sort(),
  '.github/workflows/ci.yml',
];

const REFERENCE =
  /^(?<before>FROM |Image=|\s*image: )(?<name>[\w./-]+):(?<tag>[\w.-]+)(?:@(?<digest>sha256:[0-9a-f]{64}))?/gm;
/** Built here, from deploy/Dockerfile. */
const OWN = /^(localhost\/)?hapax$/;

interface Image {
  /** `NAME:TAG`. */
  reference: string;
  digest: string | undefined;
}

/** The images of others that a Dockerfile or a compose file names. */
export function imagesIn(text: string): Image[] {
  return [...text.matchAll(REFERENCE)]
    .map(({ groups: { name, tag, digest } = {} }) => ({ name, reference: `${name}:${tag}`, digest }))
    .filter(({ name = '' }) => !OWN.test(name))
    .map(({ reference, digest }) => ({ reference, digest }));
}

/** The same text with the digests that are known by `NAME:TAG`. */
export function pinned(text: string, digests: ReadonlyMap<string, string>): string {
  return text.replaceAll(REFERENCE, (found, before: string, name: string, tag: string) => {
    const digest = digests.get(`${name}:${tag}`);
    return digest === undefined ? found : `${before}${name}:${tag}@${digest}`;
  });
}

/** The digest of the list of all platforms, so that it fits each of them. */
async function digestOf(reference: string): Promise<string> {
  const format = ['--format', '{{.Manifest.Digest}}'];
  const { stdout } = await promisify(execFile)('docker', ['buildx', 'imagetools', 'inspect', reference, ...format]);
  const digest = stdout.trim();
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw new Error(`${reference}: Docker answered "${digest}"`);
  return digest;
}

if (import.meta.main) {
  const texts = await Promise.all(
    IMAGE_FILES.map(async (file) => ({ file, text: await readFile(join(ROOT, file), 'utf8') })),
  );
  const unpinned = texts.flatMap(({ file, text }) =>
    imagesIn(text)
      .filter(({ digest }) => digest === undefined)
      .map(({ reference }) => `${file}: ${reference} has no digest`),
  );
  if (process.argv.includes('--check')) {
    for (const line of unpinned) console.error(line);
    process.exitCode = unpinned.length > 0 ? 1 : 0;
  } else {
    const references = new Set(texts.flatMap(({ text }) => imagesIn(text).map(({ reference }) => reference)));
    const digests = new Map<string, string>();
    for (const reference of references) digests.set(reference, await digestOf(reference));
    for (const { file, text } of texts) await writeFile(join(ROOT, file), pinned(text, digests));
    for (const [reference, digest] of digests) console.log(`${reference} ${digest}`);
  }
}
