import type { Stems } from '../../domain/content/search-words.ts';
import type { Db } from '../database.ts';

/** Returns the English stems of lower-case words, as Postgres makes them; null for its stop words. */
export async function stemWords(db: Db, words: readonly string[]): Promise<Stems> {
  if (words.length === 0) return new Map();
  const rows = await db<Array<{ word: string; stem: string | null }>>`
    SELECT word, (ts_lexize('english_stem', word))[1] AS stem
    FROM jsonb_array_elements_text(${JSON.stringify(words)}::jsonb) AS given (word)`;
  return new Map(rows.map(({ word, stem }) => [word, stem]));
}
