import { expect, it } from 'vitest';
import { cutIntoChunks, indexEntries } from '../../src/store/content/chunk-index.ts';
import { wordsOfChunks } from '../../src/store/surrealdb/chunk-words.ts';

const stem = async () => new Map();
const chunks = Array.from({ length: 1_000 }, (_, index) => ({ title: 'Tides', text: `Moon number ${index}.` }));

/** Counts how often the process could do other work meanwhile. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  let timer = setImmediate(function turn() {
    turns++;
    timer = setImmediate(turn);
  });
  await work;
  clearImmediate(timer);
  return turns;
}

it('the process does other work while it cuts and indexes a long text', async () => {
  expect(await turnsDuring(cutIntoChunks('The moon pulls at the sea. '.repeat(30_000)))).toBeGreaterThanOrEqual(9);
  expect(await turnsDuring(indexEntries(stem, chunks, String))).toBeGreaterThanOrEqual(9);
  expect(await turnsDuring(wordsOfChunks(stem, chunks))).toBeGreaterThanOrEqual(9);
});

it('each chunk gets its own entry', async () => {
  const entries = await indexEntries(stem, chunks, String);
  expect(entries).toHaveLength(chunks.length);
  for (const [index, entry] of entries.entries()) expect(entry).toContain(`'${index}':`);
});
