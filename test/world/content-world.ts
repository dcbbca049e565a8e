import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eachChunk } from '../../src/domain/content/chunk.ts';
import { sha256 } from '../../src/domain/record/hash.ts';
import { directoryBlobs } from '../../src/integrations/blobs.ts';
import type { ContentStore } from '../../src/store/content/content-store.ts';

/** What a handler gets of an attempt, for tests that call it without a queue. */
export function attempt(given: { taskId?: string; signal?: AbortSignal } = {}) {
  const told: unknown[] = [];
  return {
    taskId: randomUUID() as string,
    attempt: 1,
    signal: new AbortController().signal,
    progress: undefined,
    told,
    heartbeat: (progress: unknown) => {
      told.push(progress);
    },
    ...given,
  };
}

/** Blobs in a directory of the test's own. */
export async function openBlobs() {
  const directory = await mkdtemp(join(tmpdir(), 'hapax-blobs-'));
  return {
    directory,
    blobs: directoryBlobs(directory),
    close: () => rm(directory, { recursive: true, force: true }),
  };
}

/** Content with a text, as if it had been brought in. */
export function saveText(content: ContentStore, id: string, text: string, title = 'Untitled', tags: string[] = []) {
  return content.save({
    id,
    type: 'web',
    url: `https://example.test/${id}`,
    title,
    author: null,
    language: 'en',
    published_at: null,
    tags,
    text_sha256: sha256(text),
    blob_key: 'sources/none.txt',
    characters: text.length,
    chunks: [...eachChunk(text)],
  });
}

/** What is thrown, as callers are told of it. */
export async function faultOf(work: Promise<unknown>) {
  try {
    return { result: await work };
  } catch (error) {
    const { name, type, message, retryAfterMs, counted } = error as Error & Record<string, unknown>;
    return { name, type, message, retryAfterMs, counted };
  }
}
