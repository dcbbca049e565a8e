/**
 * Writes test/fixtures/kubernetes: the schemas by which kubeconform checks what the chart renders, so that the tests need no network
 * for them. They come from the Go modules of Kubernetes (its OpenAPI document), KEDA and the Prometheus operator (their custom
 * resources); only the kinds that the chart has, without descriptions, and strict: a member that is not in them is a fault.
 * Run it with Node 24 and Go after a change of the versions or kinds below: `node scripts/kubernetes-schemas.ts`.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse } from 'yaml';

const KUBERNETES = ['1.35.4', '1.36.3', '1.37.2'];
const KINDS = [
  'Deployment',
  'HorizontalPodAutoscaler',
  'Ingress',
  'Job',
  'NetworkPolicy',
  'PodDisruptionBudget',
  'Service',
];
const CUSTOM: ReadonlyArray<[module: string, file: string]> = [
  ['github.com/kedacore/keda/v2@v2.21.0', 'config/crd/bases/keda.sh_scaledobjects.yaml'],
  ['github.com/kedacore/keda/v2@v2.21.0', 'config/crd/bases/keda.sh_triggerauthentications.yaml'],
  ...['servicemonitors', 'prometheusrules'].map((name): [string, string] => [
    'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    `example/prometheus-operator-crd/monitoring.coreos.com_${name}.yaml`,
  ]),
];
export const FIXTURES = fileURLToPath(new URL('../test/fixtures/kubernetes', import.meta.url));

type Schema = { [word: string]: unknown } & { properties?: Record<string, Schema> };
/** A schema of each kind, by the name that kubeconform looks for: `deployment-apps-v1`. */
export interface Fixture {
  $comment: string;
  kinds: Record<string, Schema>;
  definitions: Record<string, Schema>;
}

/** Where the files of a Go module are. */
async function folderOf(module: string): Promise<string> {
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', module]);
  return JSON.parse(stdout).Dir;
}

/** The name of a schema as kubeconform makes it: the kind, the first part of the group, the version. */
function nameOf(kind: string, group: string, version: string): string {
  return [kind, group.split('.')[0], version].filter(Boolean).join('-').toLowerCase();
}

/** JSON Schema of what Kubernetes writes: no descriptions, no unknown members, numbers or texts where it takes both. */
function strict(value: unknown, isOfProperties = false): unknown {
  if (Array.isArray(value)) return value.map((one) => strict(one));
  if (value === null || typeof value !== 'object') return value;
  const schema = value as Schema;
  if (isOfProperties) return Object.fromEntries(Object.entries(schema).map(([name, one]) => [name, strict(one)]));
  if (schema.format === 'int-or-string' || schema['x-kubernetes-int-or-string'])
    return { type: ['string', 'integer', 'number'] };
  const kept = Object.entries(schema).filter(
    ([word]) => !/^(x-kubernetes-.*|description|default|format|example)$/.test(word),
  );
  const own = Object.fromEntries(kept.map(([word, one]) => [word, strict(one, word === 'properties')]));
  if (schema.properties && !schema['x-kubernetes-preserve-unknown-fields']) own.additionalProperties ??= false;
  return own;
}

/** Those of the definitions that have these names, or that those refer to. */
export function reachable(definitions: Record<string, Schema>, from: Iterable<string>): string[] {
  const found = new Set(from);
  for (const name of found) {
    const references = JSON.stringify(definitions[name]).matchAll(/"#\/definitions\/([^"]+)"/g);
    for (const [, other] of references) found.add(other!);
  }
  return [...found].sort();
}

async function kubernetesFixture(version: string): Promise<Fixture> {
  const module = `k8s.io/kubernetes@v${version}`;
  const text = await readFile(join(await folderOf(module), 'api/openapi-spec/swagger.json'), 'utf8');
  const { definitions } = JSON.parse(text) as { definitions: Record<string, Schema> };
  // A quantity may be written as a number.
  definitions['io.k8s.apimachinery.pkg.api.resource.Quantity'] = { type: ['string', 'number'] };
  const kinds = new Map<string, string>();
  for (const [name, schema] of Object.entries(definitions)) {
    const marks = (schema['x-kubernetes-group-version-kind'] ?? []) as Array<Record<string, string>>;
    for (const { kind = '', group = '', version: of = '' } of marks.length === 1 ? marks : []) {
      if (KINDS.includes(kind)) kinds.set(nameOf(kind, group, of), name);
    }
  }
  const names = reachable(definitions, kinds.values());
  return {
    $comment: `${module}, api/openapi-spec/swagger.json (Apache-2.0), by scripts/kubernetes-schemas.ts`,
    kinds: Object.fromEntries([...kinds].map(([name, of]) => [name, { $ref: `#/definitions/${of}` }])),
    definitions: Object.fromEntries(names.map((name) => [name, strict(definitions[name]) as Schema])),
  };
}

async function customFixture(): Promise<Fixture> {
  const kinds: Record<string, Schema> = {};
  for (const [module, file] of CUSTOM) {
    const { spec } = parse(await readFile(join(await folderOf(module), file), 'utf8'));
    for (const { name, schema } of spec.versions) {
      const own = strict(schema.openAPIV3Schema) as Schema;
      // Of every object; the server checks it.
      own.properties!.metadata = { type: 'object' };
      kinds[nameOf(spec.names.kind, spec.group, name)] = own;
    }
  }
  const sources = CUSTOM.map(([module, file]) => `${module}/${file}`).join(', ');
  return { $comment: `${sources} (Apache-2.0), by scripts/kubernetes-schemas.ts`, kinds, definitions: {} };
}

if (import.meta.main) {
  await mkdir(FIXTURES, { recursive: true });
  const write = (name: string, fixture: Fixture) =>
    writeFile(join(FIXTURES, `${name}.json`), `${JSON.stringify(fixture)}\n`);
  for (const version of KUBERNETES) await write(version, await kubernetesFixture(version));
  await write('custom', await customFixture());
}
