import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FIXTURES, type Fixture, reachable } from '../../scripts/kubernetes-schemas.ts';
import { run } from './chart.ts';

/** The versions of Kubernetes that are checked: those that it supports. */
export const VERSIONS = ['1.35.4', '1.36.3', '1.37.2'];

const readFixture = async (name: string): Promise<Fixture> =>
  JSON.parse(await readFile(join(FIXTURES, `${name}.json`), 'utf8'));

/** Writes the schemas to a folder, a file for each kind and version, as kubeconform looks for them. */
export async function writeSchemas(folder: string): Promise<void> {
  const custom = await readFixture('custom');
  for (const version of VERSIONS) {
    const { kinds, definitions } = await readFixture(version);
    await mkdir(join(folder, `v${version}`));
    for (const [name, schema] of Object.entries({ ...kinds, ...custom.kinds })) {
      // Without the rest, which kubeconform would read for each kind whenever it runs.
      const roots = typeof schema.$ref === 'string' ? [schema.$ref.replace('#/definitions/', '')] : [];
      const needed = Object.fromEntries(reachable(definitions, roots).map((each) => [each, definitions[each]]));
      await writeFile(join(folder, `v${version}`, `${name}.json`), JSON.stringify({ ...schema, definitions: needed }));
    }
  }
}

/** What kubeconform says of manifests. */
export async function conformance(
  text: string,
  { kubeconform, folder, version }: { kubeconform: string; folder: string; version: string },
) {
  const location = `${folder}/{{.NormalizedKubernetesVersion}}/{{.ResourceKind}}{{.KindSuffix}}.json`;
  const which = ['-schema-location', location, '-kubernetes-version', version];
  const said = run(kubeconform, ['-strict', '-output', 'json', '-summary', ...which], text);
  return JSON.parse(await said.catch((error: Error) => error.message)) as {
    resources: Array<{ kind: string; name: string; msg: string }>;
    summary: { valid: number; invalid: number; errors: number; skipped: number };
  };
}
