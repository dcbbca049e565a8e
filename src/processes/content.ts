import { join, resolve } from 'node:path';
import type { PageReader } from '../activities/ingest-url.ts';
import { s3EndpointOf } from '../contracts/content/content-settings.ts';
import type { Settings } from '../contracts/settings.ts';
import { quotaPolicyOf } from '../domain/content/youtube-quota.ts';
import { type Blobs, directoryBlobs, s3Blobs } from '../integrations/blobs.ts';
import { hasLocalModel, LocalModel } from '../integrations/content/local-model.ts';
import { Ollama } from '../integrations/content/ollama.ts';
import { YouTube } from '../integrations/content/youtube.ts';
import type { ContentStore } from '../store/content/content-store.ts';
import { queryEmbedder } from './query-embedder.ts';

const DEFAULT_EMBEDDING_MODEL = 'nomic-embed-text';
const DEFAULT_SUMMARY_MODEL = 'llama3.2';

/** Returns the models of Ollama that the settings name, or the defaults. */
export function modelsOf({ EMBEDDING_MODEL, SUMMARY_MODEL }: Settings): [embedding: string, summary: string] {
  return [EMBEDDING_MODEL ?? DEFAULT_EMBEDDING_MODEL, SUMMARY_MODEL ?? DEFAULT_SUMMARY_MODEL];
}

/** Connects to the services that work on content needs, by the settings. */
export function connectContent(settings: Settings, content: ContentStore) {
  const [embeddingModel, summaryModel] = modelsOf(settings);
  const ollama = settings.OLLAMA_URL === undefined ? undefined : new Ollama(settings.OLLAMA_URL);
  const embedding = ollama?.embeddingModel(embeddingModel) ?? (hasLocalModel() ? new LocalModel() : undefined);
  return {
    content,
    youtube: new YouTube({
      apiUrl: settings.YOUTUBE_API_URL,
      apiKey: settings.YOUTUBE_API_KEY,
      siteUrl: settings.YOUTUBE_URL,
    }),
    quota: quotaPolicyOf(settings),
    pages: lazyPages(settings),
    blobs: blobsOf(settings),
    embedding,
    summary: ollama?.summaryModel(summaryModel),
    embedQuery: embedding && queryEmbedder(embedding),
    async close() {
      await Promise.all([embedding?.close(), content.close()]);
    },
  };
}

/** Reads pages. Loads its libraries with the first one. */
function lazyPages({ INGEST_ALLOWED_HOSTS: allowedHosts }: Settings): PageReader {
  let loading: Promise<PageReader> | undefined;
  return {
    async read(url, stop) {
      loading ??= import('../integrations/content/web-page.ts').then(({ WebPages }) => new WebPages({ allowedHosts }));
      return (await loading).read(url, stop);
    },
  };
}

/** Returns the store of original documents. */
export function blobsOf(settings: Settings): Blobs {
  const { S3_BUCKET: bucket, HAPAX_HOME } = settings;
  return bucket ? bucketBlobs(settings, bucket) : directoryBlobs(join(resolve(HAPAX_HOME), 'blobs'));
}

/** Returns a bucket at the S3 server of the settings. If they name a bucket, they have its credentials. */
export function bucketBlobs(settings: Settings, bucket: string): Blobs {
  return s3Blobs({
    endpoint: s3EndpointOf(settings),
    bucket,
    region: settings.S3_REGION,
    accessKeyId: settings.S3_ACCESS_KEY_ID!,
    secretAccessKey: settings.S3_SECRET_ACCESS_KEY!,
  });
}
