import { join, resolve } from 'node:path';
import type { Settings } from '../contracts/settings.ts';
import { quotaPolicyOf } from '../domain/youtube-quota.ts';
import { type Blobs, directoryBlobs, s3Blobs } from '../integrations/blobs.ts';
import type { EmbeddingModel } from '../integrations/embedding-model.ts';
import { hasLocalModel, LocalModel } from '../integrations/local-model.ts';
import { Ollama } from '../integrations/ollama.ts';
import { WebPages } from '../integrations/web-page.ts';
import { YouTube } from '../integrations/youtube.ts';
import type { EmbedQuery } from '../store/search-answer.ts';

const DEFAULT_EMBEDDING_MODEL = 'nomic-embed-text';
const DEFAULT_SUMMARY_MODEL = 'llama3.2';

/** Longest that a search waits for the vector of its query before it goes by words alone. */
const QUERY_TIMEOUT_MS = 5_000;

/** What work on content asks of the world outside, as the settings say. */
export function connectContent(settings: Settings) {
  const ollama = settings.OLLAMA_URL === undefined ? undefined : new Ollama(settings.OLLAMA_URL);
  const embedding =
    ollama?.embeddingModel(settings.EMBEDDING_MODEL ?? DEFAULT_EMBEDDING_MODEL) ??
    (hasLocalModel() ? new LocalModel() : undefined);
  return {
    youtube: new YouTube({
      apiUrl: settings.YOUTUBE_API_URL,
      apiKey: settings.YOUTUBE_API_KEY,
      siteUrl: settings.YOUTUBE_URL,
    }),
    quota: quotaPolicyOf(settings),
    pages: new WebPages({ allowedHosts: settings.INGEST_ALLOWED_HOSTS }),
    blobs: blobsOf(settings),
    embedding,
    summary: ollama?.summaryModel(settings.SUMMARY_MODEL ?? DEFAULT_SUMMARY_MODEL),
    embedQuery: embedding && queryEmbedder(embedding),
    close: async () => embedding?.close(),
  };
}

/** Where documents are kept as they came. */
export function blobsOf(settings: Settings): Blobs {
  const { S3_BUCKET: bucket, S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = settings;
  if (!bucket || !accessKeyId || !secretAccessKey) return directoryBlobs(join(resolve(settings.HAPAX_HOME), 'blobs'));
  return s3Blobs({
    endpoint: settings.S3_ENDPOINT,
    bucket,
    region: settings.S3_REGION,
    accessKeyId,
    secretAccessKey,
  });
}

function queryEmbedder(model: EmbeddingModel): NonNullable<EmbedQuery> {
  return async (text) => {
    const [values = []] = await model.embed([text], 'query', AbortSignal.timeout(QUERY_TIMEOUT_MS));
    return { model: model.name, values };
  };
}
