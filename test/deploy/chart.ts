import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

export const CHART = fileURLToPath(new URL('../../deploy/helm/hapax', import.meta.url));
export const VALUES = ['one-box', 'sidecar', 'high-availability', 'temporal-cloud'] as const;

export interface Variable {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef: { name: string; key: string; optional?: boolean } };
}
export interface Container {
  name: string;
  image: string;
  args: string[];
  env: Variable[];
  ports?: Array<{ name: string; containerPort: number }>;
  volumeMounts: Array<{ name: string; mountPath: string; readOnly?: boolean }>;
  securityContext?: Record<string, unknown>;
  resources?: { requests?: object; limits?: object };
  startupProbe?: Probe;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
}
export interface Probe {
  httpGet: { path: string; port: string };
}
export interface Pod {
  automountServiceAccountToken?: boolean;
  terminationGracePeriodSeconds?: number;
  securityContext?: Record<string, unknown>;
  containers: Container[];
  volumes: Array<{ name: string } & Record<string, unknown>>;
}
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels: Record<string, string>; annotations?: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: of every kind.
  spec: any;
}

/** What a program prints; fails with what it says. */
export function run(program: string, args: string[], input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { cwd: fileURLToPath(new URL('../..', import.meta.url)), maxBuffer: 64 * 2 ** 20 };
    const child = execFile(program, args, options, (error, stdout, stderr) =>
      error ? reject(new Error(`${stderr}${stdout}`)) : resolve(stdout),
    );
    child.stdin?.end(input);
  });
}

/** What the chart renders: as text, and each manifest. */
export async function render(
  helm: string,
  { files = [], set = [], version = '1.37.2' }: { files?: readonly string[]; set?: string[]; version?: string } = {},
): Promise<{ text: string; manifests: Manifest[] }> {
  const text = await run(helm, [
    ...['template', 'hapax', CHART, '--namespace', 'hapax', '--kube-version', version],
    ...files.flatMap((name) => ['--values', `${CHART}/values/${name}.yaml`]),
    ...set.flatMap((one) => ['--set-json', one]),
  ]);
  const manifests = parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS() as Manifest;
  });
  return { text, manifests: manifests.filter(Boolean) };
}

/** The pods of a rendering, with the manifest of each. */
export function podsOf(manifests: Manifest[]): Array<{ manifest: Manifest; pod: Pod }> {
  return manifests
    .filter(({ spec }) => spec?.template)
    .map((manifest) => ({ manifest, pod: manifest.spec.template.spec }));
}

/** Secrets that an operator has only where another setting asks for them. */
const BELONGS_TO: Record<string, string> = {
  GITHUB_APP_PRIVATE_KEY: 'GITHUB_APP_ID',
  SIGN_IN_CLIENT_SECRET: 'SIGN_IN_CLIENT_ID',
};

/** The environment that a container starts with, where the Secret has these keys. */
export function environmentOf({ env }: Container, secrets: Record<string, string>): Record<string, string> {
  const names = env.map(({ name }) => name);
  if (new Set(names).size !== names.length) throw new Error(`a variable is set twice: ${names}`);
  return Object.fromEntries(
    env.flatMap(({ name, value, valueFrom }) => {
      const found = valueFrom ? secrets[name] : value;
      if (BELONGS_TO[name] && !names.includes(BELONGS_TO[name])) return [];
      return found === undefined ? [] : [[name, found]];
    }),
  );
}
