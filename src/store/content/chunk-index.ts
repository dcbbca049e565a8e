import { setImmediate } from 'node:timers/promises';
import { eachChunk } from '../../domain/content/chunk.ts';
import {
  type Stems,
  searchVectorOf,
  stemmableOf,
  type WordGroup,
  wordGroupsOf,
} from '../../domain/content/search-words.ts';

/** The form in which `words` holds the words of a chunk: see {@link searchVectorOf}. 1 was Postgres's own for English. */
export const WORDS_FORM = 2;

/** Returns English stems of words; null for stop words. */
export type Stem = (words: readonly string[]) => Promise<Stems>;

/** How many chunks are worked on at once. A long text has thousands: together they would block the process for many seconds. */
const CHUNKS_AT_ONCE = 100;

/** Cuts a text into chunks. Lets the process do other work in between. */
export async function cutIntoChunks(text: string): Promise<string[]> {
  const chunks: string[] = [];
  for (const chunk of eachChunk(text)) if (chunks.push(chunk) % CHUNKS_AT_ONCE === 0) await setImmediate();
  return chunks;
}

/**
 * Makes the index entries of chunks, in order. Lets the process do other work in between.
 * @param entryOf makes an entry of a tsvector, as text.
 */
export async function indexEntries<Entry>(
  stem: Stem,
  chunks: ReadonlyArray<{ title: string; text: string }>,
  entryOf: (words: string) => Entry,
): Promise<Entry[]> {
  const titles = new Map<string, WordGroup[]>();
  const entries: Entry[] = [];
  for (let from = 0; from < chunks.length; from += CHUNKS_AT_ONCE) {
    const batch = chunks.slice(from, from + CHUNKS_AT_ONCE);
    for (const { title } of batch) if (!titles.has(title)) titles.set(title, wordGroupsOf(title));
    const groups = batch.map(({ title, text }) => ({ title: titles.get(title)!, text: wordGroupsOf(text) }));
    const stems = await stem(stemmableOf(groups.flatMap(({ title, text }) => [...title, ...text])));
    for (const { title, text } of groups) entries.push(entryOf(searchVectorOf(title, text, stems)));
    await setImmediate();
  }
  return entries;
}
