import { readLexemes } from '../../domain/content/lexeme-query.ts';
import { indexEntries, type Stem, WORDS_FORM } from '../content/chunk-index.ts';
import type { SurrealDatabase } from './surrealdb.ts';

/** The words that find a chunk: the index uses `lexemes`, the comparison `words` (a tsvector). */
export interface ChunkWords {
  lexemes: string;
  words: string;
  words_form: number;
}

/**
 * Returns lexemes as the index takes them. The index drops tokens without letters and digits, so signs and emoji become
 * their code points. The comparison then drops false matches of these.
 */
export function indexTermsOf(lexemes: Iterable<string>): string {
  return [...lexemes]
    .map((lexeme) =>
      /[\p{L}\p{N}]/u.test(lexeme)
        ? lexeme
        : [...lexeme].map((sign) => `u${sign.codePointAt(0)!.toString(16)}`).join(''),
    )
    .join(' ');
}

/** Returns the words that find each chunk, in order. */
export function wordsOfChunks(
  stem: Stem,
  chunks: ReadonlyArray<{ title: string; text: string }>,
): Promise<ChunkWords[]> {
  return indexEntries(stem, chunks, (words) => ({
    lexemes: indexTermsOf(readLexemes(words).keys()),
    words,
    words_form: WORDS_FORM,
  }));
}

/** Rewrites the words of up to `limit` chunks that have an earlier form. @returns how many there were. */
export async function reindexChunks(surreal: SurrealDatabase, stem: Stem, limit: number): Promise<number> {
  const [chunks] = await surreal.query<[Array<{ id: unknown; title: string; text: string }>]>(
    "SELECT id, type::record('content', content).title AS title, text FROM chunk WHERE words_form < $form LIMIT $limit",
    { form: WORDS_FORM, limit },
  );
  if (chunks.length === 0) return 0;
  const words = await wordsOfChunks(stem, chunks);
  await surreal.query('FOR $row IN $rows { UPDATE $row.id MERGE $row.words }', {
    rows: chunks.map(({ id }, index) => ({ id, words: words[index] })),
  });
  return chunks.length;
}
