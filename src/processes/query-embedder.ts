import { setTimeout as delay } from 'node:timers/promises';
import type { EmbeddingModel } from '../integrations/content/embedding-model.ts';
import type { QueryVector } from '../store/content/chunk-rank-by-meaning.ts';
import type { EmbedQuery } from '../store/content/search-answer.ts';

/** How long a search waits for the vector of its query before it uses only words. */
const QUERY_TIMEOUT_MS = 5_000;
/** How long the model may take after that. A server stops loading a model if nobody waits for it any more. */
const LOADING_TIMEOUT_MS = 120_000;
/** How much of a query the vector covers: the beginning of a longer query says what it means. All its words are searched. */
const QUERY_CHARACTERS = 2_000;
/** How long a process assumes that a name still means the same model. */
const IDENTITY_MS = 60_000;

/**
 * Returns what makes vectors of queries. If the model takes too long, the query fails, but its request goes on: the model may be loading.
 * Until it has an answer, other queries fail at once.
 */
export function queryEmbedder(
  model: EmbeddingModel,
  { waitMs = QUERY_TIMEOUT_MS }: { waitMs?: number } = {},
): NonNullable<EmbedQuery> {
  let known: { revision: string | undefined; until: number } | undefined;
  let late = 0;
  const revisionAt = async (now: number, signal: AbortSignal) => {
    if (known && now < known.until) return known.revision;
    const { revision } = await model.identify(signal);
    known = { revision, until: now + IDENTITY_MS };
    return revision;
  };
  const vectorOf = async (text: string): Promise<QueryVector> => {
    const signal = AbortSignal.timeout(LOADING_TIMEOUT_MS);
    const asked = text.slice(0, QUERY_CHARACTERS).toWellFormed();
    const [[values = []], revision] = await Promise.all([
      model.embed([asked], 'query', signal),
      revisionAt(Date.now(), signal),
    ]);
    return { model: model.name, revision, values };
  };
  return async (text) => {
    if (!model.reads(text)) throw new Error(`${model.name} does not know the language of the query`);
    const tooLate = () => new Error(`${model.name} has not responded within ${waitMs / 1_000} s`);
    if (late > 0) throw tooLate();
    const made = vectorOf(text);
    const settled = new AbortController();
    const waited = delay(waitMs, 'waited' as const, { signal: settled.signal });
    try {
      const first = await Promise.race([made, waited]);
      if (first !== 'waited') return first;
    } finally {
      settled.abort();
    }
    late++;
    void made.catch(() => {}).finally(() => late--);
    throw tooLate();
  };
}
