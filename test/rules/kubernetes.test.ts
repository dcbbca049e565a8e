import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { type Role, readSettings, settingsSchema } from '../../src/contracts/settings.ts';

const DIRECTORY = fileURLToPath(new URL('../../deploy/kubernetes', import.meta.url));

interface Variable {
  name: string;
  value?: string;
  valueFrom?: { configMapKeyRef?: { name: string; key: string }; secretKeyRef?: { name: string; key: string } };
}
interface Container {
  name: string;
  image: string;
  args: string[];
  env?: Variable[];
  envFrom?: Array<{ configMapRef?: { name: string }; secretRef?: { name: string } }>;
  securityContext?: {
    allowPrivilegeEscalation?: boolean;
    readOnlyRootFilesystem?: boolean;
    capabilities?: { drop?: string[] };
  };
  resources?: { requests?: object; limits?: object };
  ports?: object[];
  livenessProbe?: { httpGet: object };
}
interface NetworkPolicy {
  podSelector: { matchLabels?: Record<string, string> };
  ingress?: object[];
}
interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
  data?: Record<string, string>;
  stringData?: Record<string, string>;
  spec: {
    minReplicas?: number;
    maxReplicas?: number;
    scaleTargetRef?: { name: string };
    template?: {
      spec: {
        automountServiceAccountToken?: boolean;
        securityContext?: { runAsNonRoot?: boolean; runAsUser?: number; seccompProfile?: { type: string } };
        containers: Container[];
      };
    };
  };
}

const kustomization = parse(readFileSync(join(DIRECTORY, 'kustomization.yaml'), 'utf8')) as {
  resources: string[];
  images: Array<{ name: string; newTag: string }>;
};
const read = (file: string) =>
  parseAllDocuments(readFileSync(join(DIRECTORY, file), 'utf8')).map((document) => document.toJS() as Manifest);
const manifests = kustomization.resources.flatMap(read);
const secrets = read('secrets.example.yaml');
const named = (kind: string, name: string) =>
  [...manifests, ...secrets].find((one) => one.kind === kind && one.metadata.name === name);

/** What our rules find wrong with a manifest that runs containers. */
function workloadFaults({ kind, metadata, spec }: Manifest): string[] {
  const pod = spec.template?.spec;
  if (!pod) return [];
  const faults: string[] = [];
  const must = (holds: unknown, rule: string) => void (holds || faults.push(`${kind}/${metadata.name}: ${rule}`));
  must(pod.securityContext?.runAsNonRoot && (pod.securityContext.runAsUser ?? 0) > 0, 'runs as a user other than root');
  must(pod.securityContext?.seccompProfile?.type === 'RuntimeDefault', 'filters system calls');
  must(pod.automountServiceAccountToken === false, 'gets no token of the cluster');
  for (const { securityContext, resources, image } of pod.containers) {
    must(securityContext?.allowPrivilegeEscalation === false, 'gains no privileges');
    must(securityContext?.readOnlyRootFilesystem, 'has a read-only file system');
    must(securityContext?.capabilities?.drop?.includes('ALL'), 'drops all capabilities');
    must(resources?.requests && resources.limits, 'says what it needs');
    must(
      kustomization.images.some(({ name, newTag }) => name === image && /^\d/.test(newTag)),
      'pins the tag of its image',
    );
  }
  return faults;
}

/** The environment a container starts with. */
function environmentOf({ env = [], envFrom = [] }: Container): Record<string, string | undefined> {
  const all = envFrom.flatMap(({ configMapRef, secretRef }) => [
    ...Object.entries((configMapRef && named('ConfigMap', configMapRef.name)?.data) ?? {}),
    ...Object.entries((secretRef && named('Secret', secretRef.name)?.stringData) ?? {}),
  ]);
  const single = env.map(({ name, value, valueFrom }) => {
    const { configMapKeyRef: map, secretKeyRef: secret } = valueFrom ?? {};
    return [
      name,
      value ??
        (map && named('ConfigMap', map.name)?.data?.[map.key]) ??
        (secret && named('Secret', secret.name)?.stringData?.[secret.key]),
    ];
  });
  return Object.fromEntries([...all, ...single]);
}

type Fault = { instancePath: string; keyword: string; params: object };
type Schema = ((manifest: unknown) => boolean) & { errors: Fault[] | null };

/** Kubernetes' own schema of a kind, as the package `kubernetes-models` has it compiled. */
async function schemaOf({ apiVersion, kind }: Manifest): Promise<Schema> {
  const [version = '', group = 'core'] = apiVersion.split('/').reverse();
  const words = [group.split('.')[0]!, version].map((word) => word[0]!.toUpperCase() + word.slice(1));
  return (await import(`kubernetes-models/_schemas/IoK8sApi${words.join('')}${kind}`)).validate;
}

/**
 * What that schema finds wrong with a manifest. It lets pass members that it does not know, which the server refuses: those
 * are the ones that checking never looks at.
 */
async function schemaFaults(manifest: Manifest): Promise<string[]> {
  const unread = new Set<string>();
  const watched = (value: unknown, path: string): unknown => {
    if (value === null || typeof value !== 'object') return value;
    if (!Array.isArray(value)) for (const name of Object.keys(value)) unread.add(`${path}/${name}`);
    return new Proxy(value, {
      get(target, name) {
        unread.delete(`${path}/${String(name)}`);
        return watched(Reflect.get(target, name), `${path}/${String(name)}`);
      },
    });
  };
  const schema = await schemaOf(manifest);
  if (!schema(watched(manifest, ''))) {
    return schema.errors!.map(
      ({ instancePath, keyword, params }) => `${instancePath} ${keyword} ${JSON.stringify(params)}`,
    );
  }
  return [...unread].map((path) => `${path} is unknown`);
}

describe('deploy/kubernetes', () => {
  const workloads = manifests.filter(({ spec }) => spec?.template);

  it('applies every file but the example, each of which exists', () => {
    for (const file of kustomization.resources) expect(existsSync(join(DIRECTORY, file)), file).toBe(true);
    const others = readdirSync(DIRECTORY).filter((file) => !kustomization.resources.includes(file));
    expect(others.sort()).toEqual(['kustomization.yaml', 'secrets.example.yaml']);
    expect(kustomization.images).toEqual([{ name: 'hapax', newName: 'hapax', newTag: packageJson.version }]);
  });

  it('is valid by the schema of Kubernetes, to the last member', async () => {
    for (const manifest of [...manifests, ...secrets]) {
      expect(await schemaFaults(manifest), `${manifest.kind}/${manifest.metadata.name}`).toEqual([]);
    }
    const weakened: Array<[fault: string, file: string, from: string, to: string]> = [
      ['/spec/replicas type {"type":"integer"}', 'bridge.yaml', 'replicas: 2', 'replicas: two'],
      ['/spec/replica is unknown', 'bridge.yaml', 'replicas: 2', 'replica: 2'],
      ['/spec required {"missingProperty":"selector"}', 'bridge.yaml', 'selector:', 'select:'],
      ['/spec/template/spec/containers/0/livenesProbe is unknown', 'bridge.yaml', 'livenessProbe:', 'livenesProbe:'],
      ['/spec/ingress/0/ports/0/portt is unknown', 'network-policy.yaml', 'port: http', 'portt: http'],
    ];
    for (const [fault, file, from, to] of weakened) {
      const text = readFileSync(join(DIRECTORY, file), 'utf8');
      const faults = parseAllDocuments(text.replace(from, to)).map((one) => schemaFaults(one.toJS() as Manifest));
      expect((await Promise.all(faults)).flat().join('\n')).toContain(fault);
    }
  });

  it('runs every container with no more rights than it needs', () => {
    expect(workloads.map(({ kind, metadata }) => `${kind}/${metadata.name}`)).toEqual([
      'Job/migrate',
      'Deployment/api',
      'Deployment/worker',
      'Deployment/bridge',
    ]);
    expect(workloads.flatMap(workloadFaults)).toEqual([]);
    const weaker = structuredClone(workloads[1] as Manifest);
    const pod = weaker.spec.template?.spec;
    if (!pod) throw new Error('api has no pod');
    delete pod.securityContext;
    delete pod.containers[0]?.securityContext;
    pod.containers[0]!.image = 'hapax:latest';
    expect(workloadFaults(weaker)).toHaveLength(6);
  });

  it('gives each role settings that it starts with', () => {
    for (const { spec, metadata } of workloads) {
      for (const container of spec.template?.spec.containers ?? []) {
        expect(container.args).toEqual(metadata.name === 'migrate' ? ['migrate'] : ['serve', metadata.name]);
        const environment = environmentOf(container);
        for (const name of Object.keys(environment)) expect(settingsSchema.shape, metadata.name).toHaveProperty(name);
        const filled = {
          ...environment,
          ...(environment.API_KEYS ? { API_KEYS: 'ci=0123456789abcdef', GITHUB_TOKEN: 'a-token' } : {}),
        };
        expect(readSettings(filled, metadata.name as Role).DATABASE_URL, metadata.name).toBeDefined();
      }
    }
  });

  it('has workers keep what is brought in elsewhere than on their own file systems', () => {
    const worker = workloads.find(({ metadata }) => metadata.name === 'worker')?.spec.template?.spec.containers[0];
    const environment = { ...environmentOf(worker!), API_KEYS: 'ci=0123456789abcdef', GITHUB_TOKEN: 'a-token' };
    expect(readSettings(environment, 'worker')).toMatchObject({ S3_BUCKET: 'BUCKET', S3_SECRET_ACCESS_KEY: 'SECRET' });
  });

  it('lets the metrics of workers be scraped, where they are served', () => {
    const worker = workloads.find(({ metadata }) => metadata.name === 'worker')?.spec.template?.spec.containers[0];
    expect(worker?.ports).toEqual([{ name: 'metrics', containerPort: 9464 }]);
    const environment = { ...environmentOf(worker!), API_KEYS: 'ci=0123456789abcdef', GITHUB_TOKEN: 'a-token' };
    expect(readSettings(environment, 'worker')).toMatchObject({ HOST: '0.0.0.0', METRICS_PORT: 9464 });
    expect(worker?.livenessProbe?.httpGet).toEqual({ path: '/health/live', port: 'metrics' });
    const policies = read('network-policy.yaml').map(({ spec }) => spec as unknown as NetworkPolicy);
    const open = policies.filter(({ podSelector }) => podSelector.matchLabels?.['app.kubernetes.io/name'] === 'worker');
    expect(open.flatMap(({ ingress }) => ingress)).toEqual([{ ports: [{ protocol: 'TCP', port: 'metrics' }] }]);
  });

  it('scales the API from 3 to 10 and workers from 2 to 20', () => {
    const scales = manifests
      .filter(({ kind }) => kind === 'HorizontalPodAutoscaler')
      .map(({ spec }) => [spec.scaleTargetRef?.name, spec.minReplicas, spec.maxReplicas]);
    expect(scales).toEqual([
      ['api', 3, 10],
      ['worker', 2, 20],
    ]);
  });
});
