import { searchVectorOf, stemmableOf, wordGroupsOf } from '../../domain/content/search-words.ts';
import type { Db } from '../database.ts';
import { stemWords } from './word-stem.ts';

/** The form in which `words` holds the words of a chunk: see {@link searchVectorOf}. 1 was Postgres's own for English. */
export const WORDS_FORM = 2;

/** Returns the index entries of chunks, as texts of tsvectors, in order. */
export async function indexTexts(db: Db, chunks: ReadonlyArray<{ title: string; text: string }>): Promise<string[]> {
  const titles = new Map([...new Set(chunks.map(({ title }) => title))].map((title) => [title, wordGroupsOf(title)]));
  const texts = chunks.map(({ text }) => wordGroupsOf(text));
  const stems = await stemWords(db, stemmableOf([...titles.values(), ...texts].flat()));
  return chunks.map(({ title }, index) => searchVectorOf(titles.get(title) ?? [], texts[index] ?? [], stems));
}
