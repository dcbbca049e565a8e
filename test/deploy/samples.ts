import { generateKeyPairSync } from 'node:crypto';
import { settingsOfChart } from '../../scripts/chart-schema.ts';
import { settingsSchema } from '../../src/contracts/settings.ts';

/** Values for secrets, such as an operator has in the Secret. */
export const SECRETS: Record<string, string> = {
  DATABASE_URL: 'postgres://hapax:x@db:5432/hapax',
  API_KEYS: 'ci=0123456789abcdef',
  TEMPORAL_API_KEY: 'temporal-key',
  TEMPORAL_CODEC_KEYS: `2026=${Buffer.alloc(32).toString('base64')}`,
  GITHUB_TOKEN: 'a-token',
  GITHUB_APP_PRIVATE_KEY: generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
  }).privateKey,
  GITHUB_WEBHOOK_SECRET: 'a-webhook-secret',
  FORGE_CREDENTIALS: 'gitea=https://token@gitea.example/api/v1',
  FORGE_WEBHOOK_SECRETS: 'gitea=a-webhook-secret',
  CALLBACK_SECRET: `whsec_${Buffer.alloc(32).toString('base64')}`,
  OLLAMA_URL: 'http://user:pass@ollama:11434',
  S3_SECRET_ACCESS_KEY: 'secret',
  YOUTUBE_API_KEY: 'key',
  CHECKPOINT_KEY: `PRIVATE+KEY+hapax.example+0123abcd+${Buffer.alloc(33).toString('base64')}`,
  FLOWER_BASIC_AUTH: 'user:pass',
  AMQP_URL: 'amqp://a:b@rabbitmq:5672/%2F',
  RESULT_REDIS_URL: 'redis://redis:6379/0',
  SIGN_IN_CLIENT_SECRET: 'secret',
  SURREALDB_PASSWORD: 'secret',
  OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x',
};

/** Settings that are no secret, as an operator writes them, and none of them the default. */
const CHOSEN: Record<string, string | number | boolean> = {
  DEPLOYMENT_MODE: 'cloud',
  LOG_LEVEL: 'warn',
  DATABASE_ROLE: '',
  TEMPORAL_TLS_SERVER_NAME: 'temporal-frontend',
  TEMPORAL_UI_URL: 'https://cloud.temporal.io',
  GITHUB_APP_ID: 123_456,
  GITHUB_API_URL: 'https://github.example/api/v3',
  GITHUB_REPO: 'octocat/fedora-images',
  GITHUB_WORKFLOW: 'image.yml',
  GITHUB_ATTESTATION_ROOTS: '/etc/hapax/files/trusted-roots.jsonl',
  GITHUB_CORRELATION_INPUT: '',
  GITHUB_POLL_INTERVAL: '20s',
  GITHUB_REQUEST_TIMEOUT: 20,
  GITHUB_WRITE_INTERVAL: 0,
  START_TIMEOUT: '1m',
  RECONCILE_WINDOW: '1m',
  DEDUP_WINDOW: '1m',
  BUILD_DEADLINE: '1h',
  QUEUE_MAX_RETRIES: 0,
  QUEUE_RETRY_DELAY: '2m',
  TASK_MAX_RETRIES: 5,
  TASK_RETRY_DELAY: '2s',
  TASK_SOFT_TIME_LIMIT: '1m',
  TASK_TIME_LIMIT: '2m',
  TASK_ALLOWED_HOSTS: 'internal.example',
  WORKER_CONCURRENCY: 8,
  CALLBACK_ALLOWED_HOSTS: 'n8n,10.0.0.5',
  CONSOLE_READ_ONLY: true,
  OIDC_RULES: JSON.stringify([
    { issuer: 'https://issuer.example', claims: { sub: 'someone' }, rights: ['read', 'trigger'] },
  ]),
  OIDC_AUDIENCE: 'hapax',
  REPOSITORIES_ALLOWED: 'octocat/*',
  KEEP_ARGUMENTS_FOR: '30d',
  KEEP_CONTENT_FOR: '365d',
  FLOWER_PORT: 5_555,
  FLOWER_UNAUTHENTICATED_API: false,
  FLOWER_READ_ONLY: 'true',
  FLOWER_URL_PREFIX: 'flower',
  CHECKPOINT_DIR: '/var/lib/hapax/checkpoints',
  CHECKPOINT_BUCKET: 'checkpoints',
  CHECKPOINT_WITNESSES: `https://witness.example=witness+0123abcd+${Buffer.alloc(33).toString('base64')}`,
  YOUTUBE_API_URL: 'https://youtube.example',
  YOUTUBE_URL: 'https://www.youtube.example',
  YOUTUBE_DAILY_QUOTA: 10_000_000,
  YOUTUBE_PRIORITY_RESERVED: 0,
  INGEST_ALLOWED_HOSTS: 'wiki.example',
  EMBEDDING_MODEL: 'nomic',
  SUMMARY_MODEL: 'llama',
  S3_BUCKET: 'hapax',
  S3_ENDPOINT: 'https://s3.example',
  S3_REGION: 'eu-central-1',
  S3_ACCESS_KEY_ID: 'id',
  RESULT_KEY_PREFIX: 'hapax',
  RESULT_EXPIRES: '2h',
  TRUSTED_HOSTS: 'hapax.example',
  SIGN_IN_ISSUER: 'https://login.example',
  SIGN_IN_CLIENT_ID: 'hapax',
  SIGN_IN_SCOPES: 'openid groups',
  SIGN_IN_RULES: JSON.stringify([{ claims: { groups: 'builders' }, rights: ['read', 'trigger'] }]),
  PUBLIC_URL: 'https://hapax.example',
  CONTENT_STORE: 'surrealdb',
  SURREALDB_URL: 'http://surrealdb:8000',
  SURREALDB_NAMESPACE: 'team',
  SURREALDB_DATABASE: 'content',
  SURREALDB_USER: 'hapax',
  SURREALDB_USER_LEVEL: 'root',
  OTEL_TRACES_EXPORTER: 'otlp',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector:4318/v1/traces',
  OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf',
  OTEL_EXPORTER_OTLP_CERTIFICATE: '/etc/hapax/files/receiver.crt',
  OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
  OTEL_EXPORTER_OTLP_TIMEOUT: 5_000,
  OTEL_SERVICE_NAME: 'hapax',
  OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=production',
  OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
  OTEL_TRACES_SAMPLER_ARG: '0.1',
};

/** How an operator would write the default of a setting; undefined if it has none. */
function defaultOf(name: string): string | undefined {
  const setting = settingsSchema.shape[name as keyof typeof settingsSchema.shape];
  const { data } = setting.safeParse(undefined);
  return [`${data}`, `${data}ms`].find((text) => setting.safeParse(text).data === data && data !== undefined);
}

/** A value for every setting that is no secret. One without a default needs an example among the chosen. */
export const SETTINGS: Record<string, string | number | boolean> = Object.fromEntries(
  settingsOfChart().plain.flatMap((name) => {
    const value = CHOSEN[name] ?? defaultOf(name);
    return value === undefined ? [] : [[name, value]];
  }),
);
