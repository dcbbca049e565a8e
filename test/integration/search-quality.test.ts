import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processContent } from '../../src/activities/process-content.ts';
import type { EmbeddingModel } from '../../src/integrations/content/embedding-model.ts';
import { LocalModel } from '../../src/integrations/content/local-model.ts';
import type { ContentStore } from '../../src/store/content/content-store.ts';
import { answerSearch, type EmbedQuery } from '../../src/store/content/search-answer.ts';
import { type OpenStore, openContentStore, STORES_WITH_VECTORS } from '../world/content-stores.ts';
import { attempt, saveText } from '../world/content-world.ts';

/**
 * A thousand glosses of nouns of WordNet, and questions in other words than theirs, written for this test. Each has one
 * right answer.
 */
const { documents, queries } = JSON.parse(
  readFileSync(new URL('../fixtures/wordnet-glosses.json', import.meta.url), 'utf8'),
) as { documents: Array<[id: string, title: string, text: string]>; queries: Array<[query: string, id: string]> };

describe('search among a thousand documents with the local model', () => {
  const stores = new Map<string, OpenStore>();
  const model = new LocalModel();
  beforeAll(async () => {
    for (const name of STORES_WITH_VECTORS) stores.set(name, await openContentStore(name));
    // Several at once, so that neither the model nor the stores wait for the other.
    const left = documents.values();
    const keeping = Array.from({ length: 4 }, async () => {
      for (const [id, title, text] of left) {
        const made = new Map<string, Promise<number[][]>>();
        // Each vector is made once, for all stores.
        const embedding: EmbeddingModel = {
          name: model.name,
          batch: model.batch,
          reads: (query) => model.reads(query),
          identify: () => model.identify(),
          embed(texts, purpose, signal) {
            const known = made.get(texts.join()) ?? model.embed(texts, purpose, signal);
            made.set(texts.join(), known);
            return known;
          },
          close: async () => {},
        };
        for (const { content } of stores.values()) {
          await saveText(content, id, text, title);
          const deps = { content, embedding, summary: undefined };
          await processContent(deps, { content_id: id, operations: ['embed'] }, attempt());
        }
      }
    });
    await Promise.all(keeping);
    // The model takes half a minute of both cores, and much longer where others want them.
  }, 900_000);
  afterAll(() => Promise.all([...[...stores.values()].map((store) => store.close()), model.close()]));

  const embedQuery: EmbedQuery = async (text) => ({
    model: model.name,
    values: (await model.embed([text], 'query', new AbortController().signal))[0] ?? [],
  });
  const ranks = async (content: ContentStore, embed: EmbedQuery) => {
    const found: number[] = [];
    for (const [query, right] of queries) {
      const { results } = await answerSearch(content, embed, { query, limit: 10 });
      found.push(results.findIndex(({ content_id }) => content_id === right));
    }
    return {
      first: found.filter((rank) => rank === 0).length / found.length,
      within10: found.filter((rank) => rank >= 0).length / found.length,
      missed: queries.filter((_, index) => found[index] === -1).map(([query]) => query),
    };
  };

  it.each(STORES_WITH_VECTORS)('finds the right one for questions in other words, in %s', async (name) => {
    const { content } = stores.get(name)!;
    const [hybrid, lexical] = [await ranks(content, embedQuery), await ranks(content, undefined)];
    // Measured: first 0.53, among ten 0.91; by words alone 0.09, since the questions avoid the words of their answers.
    expect(hybrid.within10, `missed: ${hybrid.missed.join('; ')}`).toBeGreaterThanOrEqual(0.85);
    expect(hybrid.first).toBeGreaterThanOrEqual(0.45);
    expect(lexical.within10).toBeLessThan(0.5);
  });
});
