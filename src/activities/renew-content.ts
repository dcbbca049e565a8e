import { PermanentTaskError } from '../domain/tasks/task-error.ts';
import type { EmbeddingModel, ModelIdentity } from '../integrations/content/embedding-model.ts';
import type { ContentStore } from '../store/content/content-store.ts';
import { embed } from './process-content.ts';

export interface RenewDependencies {
  content: ContentStore;
  /** Undefined if none is configured: then vectors stay as they are. */
  embedding: EmbeddingModel | undefined;
}

const CHUNKS = 200;
const CONTENTS = 20;
/** After so many failures in a row, the model is at fault, and not a content. */
const MOST_FAILURES = 3;

/** Rewrites the words of all chunks from earlier versions of Hapax. @returns how many. */
export async function renewWords({ content }: RenewDependencies, signal: AbortSignal): Promise<number> {
  for (let renewed = 0; ; ) {
    signal.throwIfAborted();
    const chunks = await content.reindexChunks(CHUNKS);
    renewed += chunks;
    if (chunks < CHUNKS) return renewed;
  }
}

/**
 * Replaces vectors that another model made: one of another name, or one that was replaced under the same name. Content
 * without vectors gets none. Leaves out what the model refuses, and what fails, unless several fail in a row.
 * @returns how many contents it renewed.
 */
export async function renewVectors(
  { content, embedding }: RenewDependencies,
  identity: ModelIdentity,
  signal: AbortSignal,
): Promise<number> {
  if (!embedding) return 0;
  const maker = { model: embedding.name, ...identity };
  for (let renewed = 0, failures = 0, after = ''; ; ) {
    const ids = await content.listOutdated(maker, after, CONTENTS);
    for (const id of ids) {
      signal.throwIfAborted();
      const found = await content.find(id);
      if (!found) continue;
      try {
        await embed({ content, embedding }, found, { signal, heartbeat: () => {} });
        renewed++;
        failures = 0;
      } catch (error) {
        if (signal.aborted) throw error;
        if (!(error instanceof PermanentTaskError) && ++failures === MOST_FAILURES) throw error;
      }
    }
    const last = ids.at(-1);
    if (last === undefined) return renewed;
    after = last;
  }
}
