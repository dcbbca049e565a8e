import { z } from 'zod';
import { baseUrl, headerSecret, hosts, integer } from '../setting-forms.ts';

export const CONTENT_STORES = ['postgres', 'surrealdb'] as const;
export type ContentStoreKind = (typeof CONTENT_STORES)[number];

const surrealName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be a name of letters, digits and underscores')
  .default('hapax');

/** Settings for ingesting, processing and finding content. */
export const contentSettings = {
  YOUTUBE_API_KEY: headerSecret.optional().meta({
    description: 'Key for the YouTube Data API. Not set: the title of a video is `YouTube: ID`, and no quota is used.',
    secret: true,
  }),
  YOUTUBE_API_URL: baseUrl()
    .default('https://www.googleapis.com')
    .meta({ description: 'Base URL of the YouTube Data API.' }),
  YOUTUBE_URL: baseUrl()
    .default('https://www.youtube.com')
    .meta({ description: 'Base URL of the YouTube website, which provides captions.' }),
  YOUTUBE_DAILY_QUOTA: integer(0, 100_000_000).default(10_000).meta({
    description: 'Units of the YouTube Data API that Hapax may use each day (in Pacific time).',
  }),
  YOUTUBE_PRIORITY_RESERVED: integer(0, 100_000_000)
    .default(1_000)
    .meta({ description: 'How many of these units are reserved for tasks with priority.' }),
  INGEST_ALLOWED_HOSTS: hosts.default([]).meta({
    description: 'Hosts in your own network from which pages may be read. All others must have public addresses.',
  }),
  OLLAMA_URL: baseUrl({ userinfo: 'used' }).optional().meta({
    description:
      'Base URL of an Ollama server, for example http://127.0.0.1:11434. A user name and password in it are sent as basic authentication. Not set: a small English model on this machine computes embeddings, and there are no summaries.',
    secret: true,
  }),
  EMBEDDING_MODEL: z.string().min(1).optional().meta({
    description: 'Ollama model that computes embeddings. Default with OLLAMA_URL: nomic-embed-text.',
  }),
  SUMMARY_MODEL: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'Ollama model that writes summaries. Default with OLLAMA_URL: llama3.2.' }),
  CONTENT_STORE: z.enum(CONTENT_STORES).default('postgres').meta({
    description:
      'Where text, embeddings and summaries are kept: in the Postgres of the record, or in SurrealDB 3. The same for all processes. To change it, run `hapax content move` first.',
  }),
  SURREALDB_URL: baseUrl().optional().meta({
    description:
      'Base URL of a SurrealDB server, for example http://127.0.0.1:8001. Not set: an embedded SurrealDB in HAPAX_HOME/surrealdb, for `hapax up` only.',
  }),
  SURREALDB_NAMESPACE: surrealName.meta({ description: 'SurrealDB namespace.' }),
  SURREALDB_DATABASE: surrealName.meta({ description: 'SurrealDB database, for Hapax alone.' }),
  SURREALDB_USER: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'User of the SurrealDB server, with the role EDITOR or OWNER.' }),
  SURREALDB_PASSWORD: z.string().min(1).optional().meta({ description: 'Password of SURREALDB_USER.', secret: true }),
  SURREALDB_USER_LEVEL: z
    .enum(['root', 'namespace', 'database'])
    .default('database')
    .meta({ description: 'Where SURREALDB_USER is defined: `DEFINE USER ... ON ROOT`, `NAMESPACE` or `DATABASE`.' }),
  S3_BUCKET: z.string().min(1).optional().meta({
    description:
      'S3 bucket for the original documents. Not set: the directory HAPAX_HOME/blobs, which all workers must share.',
  }),
  S3_ENDPOINT: baseUrl()
    .optional()
    .meta({ description: 'Base URL of the S3 server, for example MinIO. Not set: Amazon S3 in S3_REGION.' }),
  S3_REGION: z.string().min(1).default('us-east-1').meta({ description: 'Region of the bucket.' }),
  S3_ACCESS_KEY_ID: z.string().min(1).optional().meta({ description: 'Access key ID for the bucket.' }),
  S3_SECRET_ACCESS_KEY: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'Secret access key for the bucket.', secret: true }),
};

type ContentSettings = z.output<z.ZodObject<typeof contentSettings>> & { CHECKPOINT_BUCKET?: string | undefined };

/** Returns one line for each combination of settings that cannot work. */
export function contentFaults(settings: ContentSettings): string[] {
  const faults: string[] = [];
  for (const name of ['S3_BUCKET', 'CHECKPOINT_BUCKET'] as const) {
    if (settings[name] !== undefined && !(settings.S3_ACCESS_KEY_ID && settings.S3_SECRET_ACCESS_KEY)) {
      faults.push(`${name}: a bucket needs S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY`);
    }
  }
  if (settings.SURREALDB_URL !== undefined && !(settings.SURREALDB_USER && settings.SURREALDB_PASSWORD)) {
    faults.push('SURREALDB_URL: a server needs SURREALDB_USER and SURREALDB_PASSWORD');
  }
  for (const name of ['EMBEDDING_MODEL', 'SUMMARY_MODEL'] as const) {
    if (settings[name] !== undefined && settings.OLLAMA_URL === undefined) {
      faults.push(`${name}: names an Ollama model, so it needs OLLAMA_URL`);
    }
  }
  if (settings.YOUTUBE_PRIORITY_RESERVED > settings.YOUTUBE_DAILY_QUOTA) {
    faults.push('YOUTUBE_PRIORITY_RESERVED: must not be more than YOUTUBE_DAILY_QUOTA');
  }
  return faults;
}

/** Returns the base URL of the S3 server. Amazon's general one answers only for us-east-1; for others, it redirects. */
export function s3EndpointOf({ S3_ENDPOINT, S3_REGION }: Pick<ContentSettings, 'S3_ENDPOINT' | 'S3_REGION'>): string {
  return S3_ENDPOINT ?? `https://s3.${S3_REGION}.amazonaws.com`;
}
