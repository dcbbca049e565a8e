import type { Container, Manifest, Pod } from './chart.ts';

const ALL_SECRETS = [
  'DATABASE_URL',
  'API_KEYS',
  'TEMPORAL_API_KEY',
  'TEMPORAL_CODEC_KEYS',
  'OTEL_EXPORTER_OTLP_HEADERS',
];
const BUILD_SECRETS = [
  'GITHUB_TOKEN',
  'GITHUB_APP_PRIVATE_KEY',
  'GITHUB_WEBHOOK_SECRET',
  'FORGE_CREDENTIALS',
  'CALLBACK_SECRET',
  'OLLAMA_URL',
  'SURREALDB_PASSWORD',
];
/** The secrets that each process gets. */
export const SECRETS_OF = {
  api: [...ALL_SECRETS, ...BUILD_SECRETS, 'FORGE_WEBHOOK_SECRETS', 'FLOWER_BASIC_AUTH', 'SIGN_IN_CLIENT_SECRET'],
  worker: [...ALL_SECRETS, ...BUILD_SECRETS, 'YOUTUBE_API_KEY', 'S3_SECRET_ACCESS_KEY', 'CHECKPOINT_KEY'],
  bridge: [...ALL_SECRETS, 'AMQP_URL', 'RESULT_REDIS_URL'],
  migrate: ['DATABASE_URL', 'TEMPORAL_API_KEY'],
};

/** The settings that a container takes from a Secret. */
export function secretsIn({ env }: Container): string[] {
  return env.filter(({ valueFrom }) => valueFrom).map(({ name }) => name);
}

/** Whether a path is in a volume of the container. HAPAX_HOME may be in none: nothing is written there if S3_BUCKET is set. */
export function isMounted({ volumeMounts, env }: Container, path: string): boolean {
  const isHome = env.some(({ name, value }) => name === 'HAPAX_HOME' && value === path);
  return isHome || volumeMounts.some(({ mountPath }) => path.startsWith(mountPath));
}

/** What our rules find wrong with a manifest that runs containers. */
export function workloadFaults({ kind, metadata }: Manifest, pod: Pod): string[] {
  const faults: string[] = [];
  const must = (holds: unknown, rule: string) => void (holds || faults.push(`${kind}/${metadata.name}: ${rule}`));
  const { runAsNonRoot, runAsUser, seccompProfile } = (pod.securityContext ?? {}) as Record<string, unknown>;
  must(runAsNonRoot && Number(runAsUser) > 0, 'runs as a user other than root');
  must((seccompProfile as { type?: string } | undefined)?.type === 'RuntimeDefault', 'filters system calls');
  must(pod.automountServiceAccountToken === false, 'gets no token of the cluster');
  must(kind === 'Job' || (pod.terminationGracePeriodSeconds ?? 0) >= 20, 'has time to stop');
  for (const { securityContext = {}, resources, image, volumeMounts } of pod.containers) {
    must(securityContext.allowPrivilegeEscalation === false, 'gains no privileges');
    must(securityContext.readOnlyRootFilesystem, 'has a read-only file system');
    must((securityContext.capabilities as { drop?: string[] })?.drop?.includes('ALL'), 'drops all capabilities');
    must(resources?.requests && resources.limits, 'says what it needs');
    must(/(:\d+\.\d+\.\d+|@sha256:[0-9a-f]{64})$/.test(image), 'pins its image');
    for (const { name } of volumeMounts)
      must(
        pod.volumes.some((one) => one.name === name),
        `has the volume ${name}`,
      );
  }
  return faults;
}
